import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ensureBusyboxImage } from '../../infra/local/base-images/busybox.ts';
import { Machine } from '../../shared/model/machine.ts';
import { Replica } from '../../shared/model/service.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { cache, noMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';
import { shellRoot } from '../support/shell-image.ts';
import { sniff } from '../support/sniffer.ts';

const obstacle = await noMachines();
const Machines = z.object({ machines: z.array(Machine) });
const Service = z.object({ replicas: z.array(Replica) });
const HEALTH = { path: '/' };
/** Most of a machine: two of them are on two machines. */
const BIG = { cpu: 1.5, memory: 64 };
const SMALL = { cpu: 0.1, memory: 32 };

describe.skipIf(obstacle !== undefined)(
  `services that find each other${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    let front: Replica;
    let api: Replica;
    let spies: readonly Replica[];

    const replicas = async (environment: string, service: string) =>
      (await centre.call(Service, 'GET', `/api/v1/environments/${environment}/services/shop/${service}`))
        .replicas;
    const healthy = (environment: string, service: string, but?: Replica) =>
      until(
        `${service} is healthy`,
        async () =>
          (await replicas(environment, service)).find(
            ({ status, containerId }) => status.state === 'healthy' && containerId !== but?.containerId,
          ),
        500,
      );
    const deploy = (environment: string, services: object) =>
      centre.call(z.unknown(), 'PUT', `/api/v1/environments/${environment}/applications/shop`, {
        name: 'shop',
        services,
      });
    const probe = { image: 'tests/probe:latest', command: ['/bin/sleep', '100000'], stopGrace: 0 };
    const serve =
      'mkdir /www && echo "hello from $(hostname)" > /www/index.html && exec httpd -f -p 8080 -h /www';
    const web = {
      image: 'tests/web:latest',
      command: ['/bin/sh', '-c', serve],
      port: 8080,
      health: HEALTH,
      resources: BIG,
      stopGrace: 0,
    };
    /** Runs lines of bash in a replica's container. @returns what they wrote, trouble included */
    const inside = ({ machine, containerId }: Replica, lines: string) => {
      const text = Buffer.from(lines).toString('base64');
      return centre.shell(
        machine,
        `echo ${text} | base64 -d | docker exec -i ${containerId} bash 2>&1; true`,
      );
    };
    /** bash asks the resolver as every program does. */
    const get = (replica: Replica, host: string, port = 8080, path = '/') =>
      inside(
        replica,
        `exec 3<>/dev/tcp/${host}/${port} || exit 1
printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3
while read -r -t 5 line <&3; do echo "$line"; done`,
      );
    const closed = async (replica: Replica, host: string, port = 8080) =>
      expect(
        await inside(
          replica,
          `(exec 3<>/dev/tcp/${host}/${port}) 2>/dev/null & sleep 2; if kill $! 2>/dev/null; then echo none; else wait $! && echo open || echo none; fi`,
        ),
      ).toContain('none');

    beforeAll(async () => {
      centre = await startTestDataCentre();
      const { docker, registry, running } = centre;
      const { engine, keys } = running;
      await docker.run(['login', registry, '--username', 'admin', '--password', keys.admin]);
      const busybox = await ensureBusyboxImage(engine.api, { cache, report: () => {} });
      await docker.run(['tag', busybox, `${registry}/tests/web:latest`]);
      await docker.run(['push', `${registry}/tests/web:latest`]);
      const folder = await mkdtemp(join(tmpdir(), 'berth-probe-'));
      const image = `${registry}/tests/probe:latest`;
      await writeFile(join(folder, 'root.tar'), await shellRoot(['/bin/bash', '/bin/sleep']));
      await docker.run(['import', join(folder, 'root.tar'), image]);
      await docker.run(['push', image]);
      await rm(folder, { recursive: true });
      await deploy('dev', { front: { ...probe, resources: BIG }, api: web });
      front = await healthy('dev', 'front');
      api = await healthy('dev', 'api');
      // Beside each of them.
      const on = ({ machine }: Replica) => ({
        ...probe,
        resources: SMALL,
        placement: { constraints: [`machine == ${machine}`] },
      });
      await deploy('prod', { one: on(front), other: on(api) });
      spies = [await healthy('prod', 'one'), await healthy('prod', 'other')];
    });
    afterAll(async () => {
      if (centre === undefined) return;
      console.log(centre.logs());
      await centre.close();
    });

    it('reaches another machine by name, encrypted', async () => {
      expect(api.machine).not.toBe(front.machine);
      const { machines } = await centre.call(Machines, 'GET', '/api/v1/machines');
      for (const { network } of machines) expect(network?.means).toMatch(/^(kernel|wireguard-go)$/);
      for (const name of ['api', 'api.shop', 'tasks.api', 'api.shop.dev.berth'])
        expect(await get(front, name), name).toContain('hello from');
      const marker = 'berth-marker-6fd1';
      const { plain, encrypted } = await sniff(marker, async () => {
        for (let times = 0; times < 5; times += 1) await get(front, 'api', 8080, `/${marker}`);
      });
      expect(plain).toBe(0);
      expect(encrypted).toBeGreaterThan(5);
      // What sees it where it is not encrypted: the published port, from this computer.
      const seen = await sniff(marker, () => fetch(`http://${api.address}:${api.port}/${marker}`));
      expect(seen.plain).toBeGreaterThan(0);
    });

    it('is closed to other environments: their names, addresses and published ports', async () => {
      expect(spies.map(({ machine }) => machine)).toEqual([front.machine, api.machine]);
      for (const spy of spies) {
        expect(await get(spy, 'api.shop.dev.berth')).toMatch(/not known|No address/);
        await closed(spy, api.containerAddress ?? '');
        await closed(spy, api.address, api.port);
      }
      // The same way of asking says `open` where it is.
      expect(await get(front, api.containerAddress ?? '')).toContain('hello from');
    });

    it('leads to the new container once there is one, and not to the old one any more', async () => {
      await centre.shell(api.machine, `docker kill ${api.containerId}`);
      const fresh = await healthy('dev', 'api', api);
      expect(await get(front, 'api')).toContain(`hello from ${fresh.containerId?.slice(0, 12)}`);
      api = fresh;
    });

    it.runIf(long)('lets nothing through in clear when WireGuard is gone, and mends it', async () => {
      const marker = 'berth-marker-93ab';
      await centre.shell(
        front.machine,
        'systemctl stop berth-network.service; ip link delete berth-wg; true',
      );
      const { plain } = await sniff(marker, () => closed(front, api.containerAddress ?? ''));
      expect(plain).toBe(0);
      await centre.shell(front.machine, 'systemctl start berth-network.service');
      await until('it reaches it again', async () => (await get(front, 'api')).includes('hello from'));
      await centre.shell(front.machine, 'ip link delete berth-wg');
      await until('it was mended by itself', async () => (await get(front, 'api')).includes('hello from'));
    });

    it.runIf(long)('finds a service that moved to another machine', async () => {
      await centre.call(z.unknown(), 'PUT', `/api/v1/machines/${api.machine}/cordon`, { drain: true });
      const moved = await until(
        'api is elsewhere',
        async () => {
          const found = (await replicas('dev', 'api')).filter(({ status }) => status.state === 'healthy');
          return found.length === 1 && found[0]?.machine !== api.machine && found[0];
        },
        500,
      );
      expect(await get(front, 'api')).toContain(`hello from ${moved.containerId?.slice(0, 12)}`);
    });
  },
);
