import { Agent, request } from 'node:http';

/** What became of requests. */
export interface Load {
  /** Answers of 200. */
  readonly answered: number;
  /** What failed, when (milliseconds since 1970) and how. */
  readonly failures: readonly { readonly at: number; readonly why: string }[];
  /** Bodies that were seen. */
  readonly bodies: ReadonlySet<string>;
}

/** Sends GET requests over kept connections, each after the answer to the one before, until it is stopped. */
export function startLoad(
  to: { host: string; port: number; path?: string; name: string },
  connections: number,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: { at: number; why: string }[] = [];
  const bodies = new Set<string>();
  let answered = 0;
  let going = true;
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const { host, port, path = '/', name } = to;
      const fail = (why: string): void => {
        failures.push({ at: Date.now(), why });
        resolve();
      };
      const sent = request(
        { host, port, path, agent, headers: { host: name }, timeout: 20_000 },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => {
            if (response.statusCode !== 200) return fail(`${response.statusCode} ${body}`);
            answered += 1;
            bodies.add(body.trim());
            resolve();
          });
          response.on('error', (error) => fail(error.message));
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.on('error', (error) => {
        // The other side may close an idle connection just as it is used again: every client sends the request again.
        if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') resolve(once());
        else fail(error.message);
      });
      sent.end();
    });
  const loops = Array.from({ length: connections }, async () => {
    while (going) await once();
  });
  return {
    seen: (): Load => ({ answered, failures: [...failures], bodies: new Set(bodies) }),
    async stop(): Promise<Load> {
      going = false;
      await Promise.all(loops);
      agent.destroy();
      return { answered, failures, bodies };
    },
  };
}
