import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Machine } from '../../shared/model/machine.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';

const obstacle = long ? await noMachines() : 'in the long tests';
const Machines = z.object({ machines: z.array(Machine) });
const Images = z.object({
  images: z.array(
    z.object({
      profile: z.string(),
      pools: z.array(z.string()),
      machines: z.array(z.string()),
      status: z.looseObject({ state: z.string(), id: z.string().optional() }),
    }),
  ),
});

describe.skipIf(obstacle !== undefined)(
  `a pool with golden: true${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    beforeAll(async () => {
      centre = await startTestDataCentre();
    });
    afterAll(() => centre?.close());

    const deploy = (changes: object) =>
      centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/golden', {
        name: 'golden',
        pools: { fast: { golden: true, idle: 0, maximum: 3, ...changes } },
      });
    const machines = async () => {
      const { machines: all } = await centre.call(Machines, 'GET', '/api/v1/machines');
      return all.filter(({ pool }) => pool === 'fast');
    };
    const images = async () => (await centre.call(Images, 'GET', '/api/v1/machine-images')).images;
    const ready = (count: number) =>
      until(
        `${count} machines are ready`,
        async () => {
          const all = await machines();
          return all.filter(({ status }) => status.state === 'ready').length === count && all;
        },
        400,
      );

    it('has its first machine by cloud-init, and an image captured meanwhile', async () => {
      await deploy({ minimum: 1 });
      const [first] = await ready(1);
      expect(first?.golden).toBeUndefined();
      const [image] = await until(
        'the image is ready',
        async () => {
          const all = await images();
          return all.some(({ status }) => status.state === 'ready') && all;
        },
        400,
      );
      expect(image).toMatchObject({ pools: ['fast'], machines: [] });
    });

    it('has its second boot from the image, with nothing to install', async () => {
      const [image] = await images();
      await deploy({ minimum: 2 });
      const second = (await ready(2)).find(({ golden }) => golden !== undefined);
      expect(second?.golden).toBe(image?.status.id);
      const name = second?.resources.vm ?? '';
      await until('cloud-init is done', async () =>
        (await centre.shell(name, 'cloud-init status || true')).includes('done'),
      );
      expect(await centre.shell(name, 'cat /var/log/cloud-init-output.log')).not.toContain('apt');
      expect((await images())[0]?.machines).toEqual([second?.name]);
    });

    it('renews the image when its base changes, and removes the old one after its machines', async () => {
      const [old] = await images();
      await deploy({ minimum: 0, image: 'Debian:debian-12:12:latest' });
      const left = await until(
        'the new image is ready and the machines are gone',
        async () => {
          const all = await images();
          const fresh = all.find(({ profile }) => profile !== old?.profile);
          return fresh?.status.state === 'ready' && (await machines()).length === 0 && all;
        },
        500,
      );
      // It stays a while: another version of the app may still want it.
      expect(left.find(({ profile }) => profile === old?.profile)?.status.state ?? 'leaving').toBe('leaving');
    });
  },
);
