import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { containerName } from '../../infra/local/machine-runtime/machine-container.ts';
import { IngressView, RouteView } from '../../shared/api/routes/service-routes.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { startLoad } from '../support/request-load.ts';
import { long } from '../support/sample.ts';
import { selfSigned } from '../support/self-signed.ts';

const obstacle = await noMachines();
const Routes = z.object({ ingress: IngressView, routes: z.array(RouteView) });
const Service = z.object({
  service: z.object({ rollout: z.object({ state: z.string() }), revision: z.number() }),
  replicas: z.array(z.object({ machine: z.string(), status: z.object({ state: z.string() }) })),
});
const PATH = '/api/v1/environments/dev/services/hello/web';
/** Seconds until an image is made, a container started and a balancer there, on a busy computer. */
const LONG = 420;

/** @returns what is answered; undefined while nothing is, or by another certificate */
const overTls = (address: string, host: string, ca: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { host: address, port: 443, servername: host, headers: { host }, ca, agent: false };
    secureRequest(options, (response) => response.setEncoding('utf8').once('data', resolve))
      .on('error', () => resolve(undefined))
      .end();
  });

const plain = (
  address: string,
  host: string,
): Promise<{ readonly status: number | undefined; readonly location: string | undefined }> =>
  new Promise((resolve, reject) => {
    request({ host: address, port: 80, headers: { host }, agent: false }, ({ statusCode, headers }) =>
      resolve({ status: statusCode, location: headers.location }),
    )
      .on('error', reject)
      .end();
  });

describe.skipIf(obstacle !== undefined)(
  `routes and ingress${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    let address = '';
    let first = '';

    const routes = () => centre.call(Routes, 'GET', '/api/v1/routes');
    const deploy = (given: object) =>
      centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', {
        name: 'hello',
        services: {
          web: {
            image: 'hello/web:latest',
            replicas: 2,
            port: 8080,
            health: { path: '/' },
            resources: { cpu: 0.1, memory: 32 },
            ...given,
          },
        },
      });
    const served = (count: number) =>
      until(
        'the ingress serves',
        async () => {
          const { ingress, routes: found } = await routes();
          const isServed =
            ingress.next.step === 'finish' && found.every(({ replicas }) => replicas === count);
          return isServed && ingress.address !== undefined && ingress;
        },
        LONG,
      );
    const rolledOut = (revision: number) =>
      until(
        `revision ${revision} is rolled out`,
        async () => {
          const { service } = await centre.call(Service, 'GET', PATH);
          return service.revision >= revision && service.rollout.state === 'done';
        },
        LONG,
      );
    const revision = async () => (await centre.call(Service, 'GET', PATH)).service.revision;

    beforeAll(async () => {
      centre = await startTestDataCentre();
      await centre.mainJob();
    });
    afterAll(async () => {
      if (centre === undefined) return;
      console.log(centre.logs());
      await centre.close();
    });

    it('come with the first route, and lead to the service', async () => {
      await centre.call(z.unknown(), 'PUT', '/api/v1/ingress', { replicas: 1 });
      await deploy({
        routes: [{ host: 'hello.example' }, { host: 'hello.example', path: '/api', stripPrefix: true }],
      });
      const ingress = await served(2);
      address = ingress.address ?? '';
      expect(ingress.replicas).toEqual({ wanted: 1, healthy: 1 });
      const load = startLoad({ host: address, port: 80, name: 'hello.example' }, 1);
      await until('both replicas answer', async () => load.seen().bodies.size === 2, 30);
      expect((await load.stop()).failures).toEqual([]);
      const other = await fetch(`http://${address}/`);
      expect([other.status, await other.text()]).toEqual([
        404,
        'No route leads from this address to a service.',
      ]);
    });

    it('answer TLS with a certificate that was given, from the moment on at which it is set', async () => {
      const routes = [{ host: 'hello.example' }, { host: 'secure.example', tls: 'given' }];
      await expect(deploy({ routes })).rejects.toThrow('there is no certificate given');
      const { certificate, key } = await selfSigned('secure.example');
      await centre.call(z.unknown(), 'PUT', '/api/v1/certificates/given', { certificate, key });
      await deploy({ routes });
      const answered = async () =>
        (await overTls(address, 'secure.example', certificate))?.includes('hello from');
      await until('TLS is answered', answered, 60);
      const redirect = await plain(address, 'secure.example');
      expect([redirect.status, redirect.location]).toEqual([308, 'https://secure.example/']);
      const renewed = await selfSigned('secure.example');
      await centre.call(z.unknown(), 'PUT', '/api/v1/certificates/given', {
        certificate: renewed.certificate,
        key: renewed.key,
      });
      expect(await overTls(address, 'secure.example', renewed.certificate)).toContain('hello from');
    });

    it('refuse a route that another service has, and change nothing', async () => {
      const refused = await centre.fetch('PUT', '/api/v1/environments/test/applications/other', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          name: 'other',
          services: { site: { image: 'hello/web:latest', port: 8080, routes: [{ host: 'hello.example' }] } },
        }),
      });
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({ code: 'route-taken' });
      expect((await routes()).routes).toHaveLength(2);
    });

    it('lose no request in a rolling update and in the way back', async () => {
      const before = await centre.call(
        z.object({ spec: z.object({ image: z.string() }), service: z.object({ digest: z.string() }) }),
        'GET',
        PATH,
      );
      first = before.service.digest;
      const load = startLoad({ host: address, port: 80, name: 'hello.example' }, 4);
      const old = await revision();
      await centre.push('2');
      await rolledOut(old + 1);
      await deploy({
        image: `hello/web@${first}`,
        routes: [{ host: 'hello.example' }, { host: 'hello.example', path: '/api', stripPrefix: true }],
      });
      await rolledOut(old + 2);
      const { answered, failures, bodies } = await load.stop();
      console.log(
        `${answered} requests through the ingress in two rollouts, ${failures.length} failed: ${spread(failures)}`,
      );
      expect(failures).toEqual([]);
      expect([...bodies].some((body) => body.endsWith('version 2'))).toBe(true);
      expect(bodies.size).toBeGreaterThanOrEqual(6);
    });

    it.runIf(long)('lose no request while the ingress itself is replaced', async () => {
      const path = '/api/v1/environments/berth/services/ingress/ingress';
      const state = async () => (await centre.call(Service, 'GET', path)).service;
      await centre.call(z.unknown(), 'PUT', '/api/v1/ingress', { replicas: 2 });
      await until(
        'both are healthy',
        async () => {
          const { ingress } = await routes();
          return ingress.replicas.healthy === 2 && ingress.next.step === 'finish';
        },
        LONG,
      );
      const { revision: before } = await state();
      const load = startLoad({ host: address, port: 80, name: 'hello.example' }, 4);
      await centre.call(z.unknown(), 'POST', `${path}/restart`);
      await until(
        'it is replaced',
        async () => {
          const { revision: now, rollout } = await state();
          return now > before && rollout.state === 'done';
        },
        LONG,
      );
      const { answered, failures } = await load.stop();
      console.log(
        `${answered} requests while the ingress was replaced, ${failures.length} failed: ${spread(failures)}`,
      );
      expect(failures).toEqual([]);
    });

    it.runIf(long)('lose only what was in flight when a machine is killed', async () => {
      await centre.call(z.unknown(), 'PUT', '/api/v1/ingress', { replicas: 2 });
      await deploy({
        image: `hello/web@${first}`,
        replicas: 3,
        placement: { spread: 'machine', atMostPerMachine: 1 },
        routes: [{ host: 'hello.example' }],
      });
      await served(3);
      const { replicas } = await centre.call(Service, 'GET', PATH);
      const ingresses = await centre.call(
        z.object({ replicas: z.array(z.object({ machine: z.string() })) }),
        'GET',
        '/api/v1/environments/berth/services/ingress/ingress',
      );
      const victim = replicas.find(
        ({ machine }) => !ingresses.replicas.some((one) => one.machine === machine),
      );
      if (victim === undefined) throw new Error('no machine has a replica and no ingress');
      const connections = 6;
      const load = startLoad({ host: address, port: 80, name: 'hello.example' }, connections);
      await until('requests flow', async () => load.seen().answered > 100, 30);
      const killed = Date.now();
      const name = containerName(centre.running.dataCentre.id, victim.machine);
      await centre.running.engine.api.send('POST', `/containers/${name}/kill`);
      await until('requests flow on', async () => Date.now() - killed > 20_000, 40);
      const { failures } = await load.stop();
      console.log(
        `${failures.length} requests failed after a kill: ${failures.map(({ at, why }) => `${at - killed} ms ${why}`).join('; ')}`,
      );
      expect(failures.length).toBeLessThanOrEqual(connections);
    });

    it('go with the last route, and leave nothing', async () => {
      await deploy({ image: `hello/web@${first}` });
      await until(
        'the ingress is gone',
        async () => {
          const { ingress, routes: left } = await routes();
          const { replicas } = await centre.call(
            z.object({ replicas: z.array(z.unknown()) }),
            'GET',
            '/api/v1/environments/berth/replicas',
          );
          return left.length === 0 && ingress.address === undefined && replicas.length === 0;
        },
        LONG,
      );
      await expect(fetch(`http://${address}/`)).rejects.toThrow();
    });
  },
);

/** How often what went wrong, and in which milliseconds after the first. */
function spread(failures: readonly { readonly at: number; readonly why: string }[]): string {
  const kinds = Map.groupBy(failures, ({ why }) => why);
  const first = failures[0]?.at ?? 0;
  return [...kinds]
    .map(
      ([why, all]) =>
        `${all.length} ${why}, ${(all[0]?.at ?? 0) - first} to ${(all.at(-1)?.at ?? 0) - first} ms`,
    )
    .join('; ');
}
