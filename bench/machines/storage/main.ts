import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server } from 'node:https';
import { readDataCentre } from '../../../infra/local/data-centre.ts';
import { countsSocket, subjectOf } from './counts.ts';

/** Storage as it is, whose requests are counted: `node bench/machines/storage/main.ts <data-centre.json>`. */
const [, , file] = process.argv;
if (file === undefined) {
  console.error('usage: node bench/machines/storage/main.ts <data-centre.json>');
  process.exit(2);
}
const { directory, ports } = readDataCentre(file);
const services = new Map([
  [ports.blob, 'blob'],
  [ports.queue, 'queue'],
  [ports.table, 'table'],
]);
const counts: Record<string, number> = {};

// Azurite has no hook for it: every request comes to one of its three servers as an event.
const emit = Server.prototype.emit;
Server.prototype.emit = function (this: Server, event: string | symbol, ...given: unknown[]): boolean {
  if (event === 'request') {
    const [{ method, url, socket }] = given as [
      { method?: string; url?: string; socket: { localPort?: number } },
    ];
    const name = `${services.get(socket.localPort ?? 0) ?? 'other'} ${method} ${subjectOf(url ?? '')}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Reflect.apply(emit, this, [event, ...given]) as boolean;
};

rmSync(countsSocket(directory), { force: true });
createServer((_request, response) => void response.end(JSON.stringify(counts)))
  .listen(countsSocket(directory))
  .unref();
await import('../../../infra/local/storage/main.ts');
