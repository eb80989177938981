import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { agentWatch } from '../../../shared/machines/agent-watch.ts';
import { ObservedContainer } from '../../../shared/machines/observation.ts';
import { Watched } from '../../../shared/workloads/watched.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const watched = (more: Partial<Watched> = {}) =>
  JSON.stringify([
    Watched.parse({ every: 0, within: 1, failures: 2, deadline: 30, dead: false, path: '/up', ...more }),
  ]);

/** The agent's part, with a server that answers as it is told, and an engine's list. */
const run = (watch: string, scenario: string): unknown => {
  const script = `
import http.client, http.server, json, queue, socket, sys, threading, time
status, heard = [200], queue.Queue()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status[0]); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]
def now(): return '2026-11-30T12:00:00.000Z'
def patiently(work): return work()
def private_address(): return '127.0.0.1'
def engine(path): raise RuntimeError('no engine')
${agentWatch}
made = time.time()
def listed(status='Up 1 second', at=port, state='running', created=None):
    labels = {'berth.watch': ${JSON.stringify(watch)}, 'berth.port': str(at)}
    return {'Id': 'a' * 64, 'State': state, 'Status': status, 'Labels': labels, 'Created': created or made}
watch = Watch(heard)
watch.address = '127.0.0.1'
watch.follow([listed()])
def ask(times=1):
    check = watch.known['a' * 64][0]
    return [check.note(check.ask(watch.address)) for _ in range(times)]
told = lambda: watch.told('a' * 64)
out = []
${scenario}
print(json.dumps(out))
`;
  const { stdout, stderr, status } = spawnSync('python3', ['-'], { input: script, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

describe.skipIf(!hasPython)('what the agent tells of containers that stop answering', () => {
  it('as often in a row as was asked for, once; and that it answers again', () => {
    expect(
      run(
        watched(),
        `out += ask(); status[0] = 503; out += ask(2); out.append(told()); out += ask(2); status[0] = 200; out += ask(); out.append(told())`,
      ),
    ).toEqual([
      false,
      false,
      true,
      { since: '2026-11-30T12:00:00.000Z', reason: 'GET /up answered 503', dead: false },
      false,
      false,
      true,
      null,
    ]);
  });

  it('of one that never answered nothing, before its deadline has passed', () => {
    const bad = `status[0] = 503; out += ask(4)`;
    expect(run(watched(), bad)).toEqual([false, false, false, false]);
    expect(run(watched({ deadline: 0 }), bad)).toEqual([false, true, false, false]);
  });

  it('a port that closes or refuses', () => {
    const { path: _, ...tcp } = JSON.parse(watched())[0] as Watched;
    const watch = JSON.stringify([{ ...tcp, deadline: 0, dead: true }]);
    expect(
      run(
        watch,
        `out += ask(); server.shutdown(); server.server_close(); out += ask(2); out.append(told()['dead'])`,
      ),
    ).toEqual([false, false, true, true]);
  });

  it('what the engine says of its own check; a container that ended is forgotten', () => {
    const watch = watched({ engine: true, dead: true });
    const [bad, good, gone] = run(
      watch,
      `watch.follow([listed('Up 5 seconds (unhealthy)')]); out.append(told()); watch.follow([listed('Up 6 seconds (healthy)')]); out.append(told()); watch.follow([listed(state='exited')]); out.append(told())`,
    ) as [ObservedContainer['unhealthy'], null, null];
    expect(ObservedContainer.shape.unhealthy.parse(bad)).toMatchObject({ dead: true });
    expect([good, gone]).toEqual([null, null]);
  });
});
