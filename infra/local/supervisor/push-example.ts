import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBusyboxImage } from '../base-images/busybox.ts';
import type { ApiClient } from './api-client.ts';
import { dockerClient } from './docker-client.ts';
import { filesOf } from './files.ts';
import type { MainJobOptions } from './main-job.ts';
import type { RunningDataCentre } from './start-data-centre.ts';

/** Deploys examples/hello, and has the real docker client build it and push it: the push is the event. */
export async function pushExample(
  { dataCentre, engine, keys }: RunningDataCentre,
  { checkout, cache, progress }: Pick<MainJobOptions, 'checkout' | 'cache' | 'progress'>,
  api: ApiClient,
): Promise<void> {
  const docker = dockerClient(engine.socket, filesOf(dataCentre.directory).docker);
  const registry = `127.0.0.1:${dataCentre.ports.app}`;
  const example = join(checkout, 'examples/hello');

  await progress.step('deploy examples/hello/berth.yaml', () =>
    api.send(
      'PUT',
      '/api/v1/environments/dev/applications/hello',
      'application/yaml',
      readFileSync(join(example, 'berth.yaml'), 'utf8'),
    ),
  );
  await progress.step('docker build examples/hello', async (note) => {
    const busybox = await ensureBusyboxImage(engine.api, { cache, report: note });
    await docker.run(['login', '--username', 'admin', '--password-stdin', registry], undefined, keys.admin);
    await docker.run(['tag', busybox, `${registry}/library/busybox:latest`]);
    await docker.run(['push', `${registry}/library/busybox:latest`], note);
    const image = `${registry}/hello/web:latest`;
    await docker.run(['build', '--build-arg', `BASE=${registry}/library`, '--tag', image, example], note);
  });
  await progress.step(`docker push ${registry}/hello/web:latest`, async (note) => {
    await docker.run(['push', `${registry}/hello/web:latest`], note);
  });
}
