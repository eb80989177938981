import { join } from 'node:path';

/** What lies where in a data centre's directory. */
export const filesOf = (directory: string) => ({
  dataCentre: join(directory, 'data-centre.json'),
  masterKey: join(directory, 'master-key'),
  client: join(directory, 'client.json'),
  processes: join(directory, 'processes.json'),
  lock: join(directory, 'supervisor.pid'),
  logs: join(directory, 'logs'),
  ca: join(directory, 'ca'),
  host: join(directory, 'host'),
  docker: join(directory, 'docker'),
});
