import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../shared/machines/cloud.azure.ts';
import { azureRegion, knownSku } from '../../shared/machines/offerings/region.azure.ts';
import { memoryRegion } from '../../shared/machines/offerings/region.memory.ts';
import type { Region } from '../../shared/machines/offerings/region.ts';
import { credential, startTestArm } from '../support/arm.ts';

const subjects: Record<string, () => Promise<{ region: Region; close(): Promise<void> }>> = {
  memory: async () => ({ region: memoryRegion(), close: async () => {} }),
  async 'Azure SDK against the local endpoint'() {
    const arm = await startTestArm();
    return { region: azureRegion(armClients(arm.settings, credential)), close: () => arm.close() };
  },
};

describe.each(Object.entries(subjects))('region: %s', (_name, open) => {
  let subject: Awaited<ReturnType<typeof open>>;
  beforeEach(async () => {
    subject = await open();
  });
  afterEach(() => subject.close());

  it('has sizes with their family, zones, and whether they are to be had as spot machines', async () => {
    const skus = await subject.region.skus();
    expect(skus).toContainEqual({
      name: 'Standard_B2s',
      family: 'standardBSFamily',
      cores: 2,
      memory: 4096,
      zones: ['1', '2', '3'],
      spot: false,
    });
    expect(skus.find(({ name }) => name === 'Standard_D4s_v5')).toMatchObject({ cores: 4, spot: true });
  });

  it('says when its quotas were read', async () => {
    expect(Math.abs((await subject.region.usages()).at.getTime() - Date.now())).toBeLessThan(60_000);
  });
});

describe('the local endpoint', () => {
  it('counts what its machines use, spot machines apart, and refuses what is over a quota with Azure’s words', async () => {
    const arm = await startTestArm({ quota: { regionalCores: 8, familyCores: 2, spotCores: 2 } });
    try {
      const clients = armClients(arm.settings, credential);
      const cloud = azureCloud(clients);
      const end = async (begun: ReturnType<typeof cloud.poll>) => {
        let progress = await begun;
        while (progress.status === 'going') {
          await arm.idle();
          progress = await cloud.poll(progress.operation);
        }
        return progress;
      };
      await end(cloud.ensureNetwork());
      const make = async (name: string, more: { zone?: string; priority?: 'spot'; size?: string } = {}) => {
        await end(cloud.createNic({ name: `${name}-nic`, machine: name }));
        const image = 'Debian:debian-13:13-gen2:latest';
        const parts = { name, nic: `${name}-nic`, disk: `${name}-disk`, image, customData: '', tags: {} };
        return await end(cloud.createVirtualMachine({ ...parts, size: 'Standard_D2s_v5', ...more }));
      };
      expect(await make('a')).toEqual({ status: 'done' });
      expect(await make('b', { priority: 'spot', zone: '2' })).toEqual({ status: 'done' });
      const { of } = await azureRegion(clients).usages();
      const usage = (name: string) => of.find((one) => one.name === name);
      expect(usage('cores')).toEqual({ name: 'cores', current: 2, limit: 8 });
      expect(usage('standardDSv5Family')).toEqual({ name: 'standardDSv5Family', current: 2, limit: 2 });
      expect(usage('lowPriorityCores')).toEqual({ name: 'lowPriorityCores', current: 2, limit: 2 });
      expect(await make('c')).toMatchObject({ status: 'refused', code: 'QuotaExceeded' });
      expect(await make('d', { priority: 'spot' })).toMatchObject({
        code: 'OperationNotAllowed',
        message: expect.stringContaining('exceeding approved LowPriorityCores quota'),
      });
      expect(await make('e', { priority: 'spot', size: 'Standard_B2s' })).toMatchObject({
        code: 'AzureSpotIsNotSupportedForThisVMSize',
      });
      expect(await make('f', { zone: '3', size: 'Standard_F2s_v2' })).toMatchObject({
        code: 'SkuNotAvailable',
        message: expect.stringContaining("zones '3'"),
      });
      expect(await make('g', { zone: '9' })).toMatchObject({ code: 'InvalidAvailabilityZone' });
    } finally {
      await arm.close();
    }
  });
});

const SKUS = fileURLToPath(new URL('../../../shared/reference/prices/skus', import.meta.url));

describe.skipIf(!existsSync(SKUS))('sizes as Azure lists them (../shared/reference/prices/skus)', () => {
  it.each(existsSync(SKUS) ? readdirSync(SKUS).filter((name) => name.endsWith('.json')) : [])(
    '%s is read',
    (file) => {
      const read: unknown = JSON.parse(readFileSync(`${SKUS}/${file}`, 'utf8'));
      const items = (Array.isArray(read) ? read : (read as { value: unknown[] }).value) as Parameters<
        typeof knownSku
      >[0][];
      const vms = items.filter(({ resourceType }) => resourceType === 'virtualMachines');
      const known = vms.flatMap((sku) => knownSku(sku, sku.locations?.[0] ?? '') ?? []);
      expect(known).toHaveLength(vms.length);
      expect(known.length).toBeGreaterThan(0);
      for (const { family, cores, memory } of known) {
        expect(family).not.toBe('');
        expect(cores).toBeGreaterThan(0);
        expect(memory).toBeGreaterThan(0);
      }
    },
  );
});
