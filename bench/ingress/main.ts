import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { IngressView } from '../../shared/api/routes/service-routes.ts';
import { Machine } from '../../shared/model/machine.ts';
import { Replica, Revision } from '../../shared/model/service.ts';
import type { Report } from '../report.ts';
import { type Row, rowOf } from '../row.ts';
import { settled } from '../settled.ts';
import { type WarmMachine, withWarmMachine } from '../warm-machine.ts';
import { type Measured, requireWrk, wrk } from './wrk.ts';

const ROUNDS = 5;
const LOAD = { connections: 16, seconds: 4 };
const HOST = 'bench.example';
const APPLICATION = '/api/v1/environments/dev/applications/bench';

/**
 * A server that costs next to nothing: haproxy of the ingress's own image, which answers by itself. What is measured is
 * then the way there, and as much as can be of the ingress.
 */
const SERVER = `global
  fd-hard-limit 20000
defaults
  mode http
  timeout client 30s
  timeout http-keep-alive 30s
frontend page
  bind :8080
  http-request return status 200 content-type text/plain string "a page of a few words, as short answers are"
`;

/** Requests per second and p99 through the ingress, beside the port that the same container publishes. */
export async function benchIngress(report: Report): Promise<readonly Row[]> {
  requireWrk();
  return await withWarmMachine(report, (machine) => measure(machine, report));
}

async function measure({ call }: WarmMachine, report: Report): Promise<readonly Row[]> {
  await call(z.unknown(), 'PUT', '/api/v1/ingress', { replicas: 1 });
  const routes = [{ host: HOST, timeouts: { drain: 0 } }];
  await call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', {
    name: 'hello',
    services: {
      web: {
        image: 'hello/web:latest',
        port: 8080,
        health: { path: '/' },
        resources: { cpu: 0.1, memory: 32 },
        routes: [{ host: 'hello.example' }],
      },
    },
  });
  await reached('the ingress', async () => {
    const { ingress } = await call(z.object({ ingress: IngressView }), 'GET', '/api/v1/routes');
    return ingress.next.step === 'finish';
  });
  const { revisions } = await call(
    z.object({ revisions: z.array(Revision) }),
    'GET',
    '/api/v1/environments/berth/services/ingress/ingress/revisions',
  );
  await call(z.unknown(), 'PUT', APPLICATION, {
    name: 'bench',
    configs: { server: { content: SERVER } },
    services: {
      page: {
        image: `berth/ingress@${revisions[0]?.digest}`,
        entrypoint: ['/usr/sbin/haproxy', '-q', '-db', '-f', '/server.cfg'],
        configs: [{ config: 'server', target: '/server.cfg' }],
        port: 8080,
        health: { path: '/' },
        routes,
      },
    },
  });
  const replica = await reached('a replica', async () => {
    const { replicas } = await call(
      z.object({ replicas: z.array(Replica) }),
      'GET',
      '/api/v1/environments/dev/services/bench/page',
    );
    return replicas.find(({ status }) => status.state === 'healthy');
  });
  const { machines } = await call(z.object({ machines: z.array(Machine) }), 'GET', '/api/v1/machines');
  const { replicas } = await call(
    z.object({ replicas: z.array(Replica) }),
    'GET',
    '/api/v1/environments/berth/services/ingress/ingress',
  );
  const ingress = machines.find(({ name }) => name === replicas[0]?.machine)?.address;
  const ways = { ours: `http://${ingress}/`, reference: `http://${replica.address}:${replica.port}/` };
  report(`through the ingress ${ways.ours}, beside ${ways.reference}`);
  const seen: Record<'ours' | 'reference', Measured[]> = { ours: [], reference: [] };
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const way of ['ours', 'reference'] as const) {
      await settled();
      const result = await wrk(ways[way], HOST, LOAD);
      if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${ways[way]}`);
      // The first round warms both up.
      if (round > 0) seen[way].push(result);
    }
  const of = (way: 'ours' | 'reference', what: 'requestsPerSecond' | 'p99') =>
    seen[way].map((result) => result[what]);
  return [
    rowOf(
      'requests through the ingress',
      '/s',
      'higher',
      of('ours', 'requestsPerSecond'),
      of('reference', 'requestsPerSecond'),
    ),
    rowOf('p99 through the ingress', 'ms', 'lower', of('ours', 'p99'), of('reference', 'p99')),
  ];
}

async function reached<T>(what: string, look: () => Promise<T | false | undefined>): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    await sleep(500);
  }
  throw new Error(`waited in vain for ${what}`);
}
