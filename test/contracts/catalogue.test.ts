import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureCatalogue } from '../../shared/machines/by-hand/catalogue.azure.ts';
import { memoryCatalogue } from '../../shared/machines/by-hand/catalogue.memory.ts';
import type { Catalogue } from '../../shared/machines/by-hand/catalogue.ts';
import { credential, startTestArm } from '../support/arm.ts';

interface Subject {
  readonly catalogue: Catalogue;
  close(): Promise<void>;
}

const id =
  '/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/berth-machines/providers/Microsoft.Network/virtualNetworks/own';

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    const subnets = [{ id: `${id}/subnets/front`, name: 'front', prefix: '10.77.9.0/24' }];
    return { catalogue: memoryCatalogue([{ id, name: 'own', subnets }]), close: async () => {} };
  },
  async 'Azure SDK against the local endpoint'() {
    const arm = await startTestArm();
    const made = await arm.call('PUT', id, {
      location: 'westeurope',
      properties: {
        addressSpace: { addressPrefixes: ['10.77.9.0/24'] },
        subnets: [{ name: 'front', properties: { addressPrefix: '10.77.9.0/24' } }],
      },
    });
    expect(made.status).toBe(201);
    await arm.idle();
    return { catalogue: azureCatalogue(armClients(arm.settings, credential)), close: () => arm.close() };
  },
};

describe.each(Object.entries(subjects))('what may be asked for by name: %s', (_name, open) => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await open();
  });
  afterEach(() => subject.close());

  it('has images of the marketplace, or tells which part of a name it does not know', async () => {
    const { catalogue } = subject;
    const debian = { publisher: 'Debian', offer: 'debian-12', sku: '12-gen2' };
    expect(await catalogue.marketplace(debian)).toEqual({ found: true });
    for (const [unknown, near] of [
      ['sku', '12-gen2'],
      ['offer', 'debian-12'],
      ['publisher', 'Debian'],
    ] as const)
      expect(await catalogue.marketplace({ ...debian, [unknown]: 'nothing' })).toEqual({
        found: false,
        unknown,
        known: expect.arrayContaining([near]),
      });
    expect(await catalogue.hasImage(id.replace('Network/virtualNetworks', 'Compute/images'))).toBe(false);
    expect(await catalogue.hasImage('/nothing')).toBe(false);
  });

  it('has networks with their subnets', async () => {
    const own = {
      id,
      name: 'own',
      subnets: [{ id: `${id}/subnets/front`, name: 'front', prefix: '10.77.9.0/24' }],
    };
    expect(await subject.catalogue.networks()).toEqual([own]);
    expect(await subject.catalogue.networks(id)).toEqual([own]);
    expect(await subject.catalogue.networks(`${id}x`)).toEqual([]);
  });
});
