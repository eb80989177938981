import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Abstract, so that it goes with its process: https://man7.org/linux/man-pages/man7/unix.7.html */
const NAME = '\0berth-data-centre-starts';

/**
 * Waits until no other data centre of this computer is choosing its network and ports: what it has chosen is seen by the next
 * only once it is in use. Who waits is told when the other has done, or has died.
 * @returns what ends the turn
 */
export async function takeTurn(report: (line: string) => void, name = NAME): Promise<() => void> {
  for (let waits = 0; ; waits += 1) {
    const server = createServer();
    const taken = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(name);
    if (await taken) {
      const waiting = new Set<() => void>();
      server.on('connection', (socket) => {
        socket.on('error', () => {});
        waiting.add(() => socket.destroy());
      });
      server.unref();
      return () => {
        server.close();
        for (const tell of waiting) tell();
      };
    }
    if (waits === 0) report('another data centre is starting on this computer: waiting for it');
    const socket = connect(name);
    await once(socket, 'close').catch(() => {});
  }
}
