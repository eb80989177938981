import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KnownNetwork } from '../../../../shared/machines/by-hand/catalogue.ts';
import { faultsOf, type Surroundings } from '../../../../shared/machines/by-hand/faults.ts';
import { requireQuota } from '../../../../shared/machines/by-hand/quota.ts';
import { newMachineName } from '../../../../shared/machines/machine-names.ts';
import { PoolName } from '../../../../shared/model/names.ts';
import { NewMachine } from '../../../../shared/model/new-machine.ts';

const subnet = (name: string, prefix: string) => ({ id: `/networks/own/subnets/${name}`, name, prefix });
const own: KnownNetwork = { id: '/networks/own', name: 'own', subnets: [subnet('front', '10.9.0.0/24')] };
const wide: KnownNetwork = {
  id: '/networks/wide',
  name: 'wide',
  subnets: [subnet('a', '10.8.0.0/24'), subnet('b', '10.8.1.0/24')],
};
const around: Surroundings = {
  location: 'westeurope',
  sizes: [
    {
      name: 'Standard_B2s',
      family: 'standardBSFamily',
      cores: 2,
      memory: 4096,
      zones: ['1', '2'],
      spot: false,
    },
    { name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2, memory: 8192, zones: [], spot: true },
    {
      name: 'Standard_D4s_v5',
      family: 'standardDSv5Family',
      cores: 4,
      memory: 16_384,
      zones: [],
      spot: true,
      restricted: 'NotAvailableForSubscription',
    },
  ],
  network: '10.20.0.0/16',
  networks: [own, wide],
  image: { found: true },
  hasImage: undefined,
};
const faults = (request: object, change: Partial<Surroundings> = {}) =>
  Object.fromEntries(
    faultsOf(NewMachine.parse({ name: 'box', ...request }), { ...around, ...change }).map(
      ({ path, message }) => [path, message],
    ),
  );

describe('what is wrong with a machine that is asked for', () => {
  it('is nothing where all of it exists', () => {
    expect(faults({})).toEqual({});
    const full = {
      size: 'standard_b2s',
      zone: '2',
      location: 'West Europe',
      network: 'OWN',
      address: '10.9.0.4',
    };
    expect(faults(full)).toEqual({});
    expect(faults({ network: 'wide', subnet: 'B', dnsLabel: 'box-1', tags: { team: 'a' } })).toEqual({});
  });

  it.each([
    [
      'size',
      { size: 'Standard_B2' },
      'there is no size Standard_B2 in westeurope: did you mean Standard_B2s?',
    ],
    ['size', { size: 'd2s_v4' }, 'there is no size d2s_v4 in westeurope: did you mean Standard_D2s_v5?'],
    ['size', { size: 'enormous-machine' }, 'there is no size enormous-machine in westeurope'],
    [
      'size',
      { size: 'Standard_D4s_v5' },
      /there is no size Standard_D4s_v5 in westeurope: did you mean Standard_D2s_v5/,
    ],
    [
      'priority',
      { priority: 'spot' },
      'Standard_B2s is not to be had as spot: choose another size, or regular',
    ],
    ['zone', { zone: '3' }, 'westeurope offers Standard_B2s in the zones 1, 2; found 3'],
    [
      'zone',
      { size: 'Standard_D2s_v5', zone: '1' },
      'westeurope offers Standard_D2s_v5 in no zone: leave the zone out',
    ],
    [
      'location',
      { location: 'northeurope' },
      'machines are made in westeurope, where this Berth is; found northeurope',
    ],
    ['network', { network: 'owm' }, 'there is no network owm: did you mean own?'],
    ['network', { network: 'wide' }, 'the network wide has the subnets a, b: name one'],
    ['network', { network: 'own', subnet: 'fromt' }, 'there is no subnet fromt in own: did you mean front?'],
    ['network', { subnet: 'front' }, 'the subnet front needs the network that it is in'],
    ['dnsLabel', { publicAddress: false, dnsLabel: 'box' }, /belongs to a public address/],
    ['adminUser', { adminUser: 'root' }, 'Azure gives no user the name root: choose another'],
    ['tags.berth-x', { tags: { 'berth-x': '' } }, /Berth's own/],
    ['tags.a?b', { tags: { 'a?b': '' } }, /has none of the characters/],
    ['customData', { customData: 'hello' }, /begins with #cloud-config, #!, /],
  ])('names %s of %j', (path, request, message) => {
    const found = faults(request);
    expect(Object.keys(found)).toEqual([path]);
    if (typeof message === 'string') expect(found[path]).toBe(message);
    else expect(found[path]).toMatch(message);
  });

  it.each(['10.20.0.3', '10.20.255.255', '10.21.0.9'])('takes no address %s in 10.20.0.0/16', (address) => {
    expect(faults({ address })['address']).toMatch(
      /^10\.\S+ is none that a machine in 10\.20\.0\.0\/16 may have/,
    );
  });

  it('names the part of an image that is not known, and what is near', () => {
    const image = { found: false, unknown: 'sku', known: ['12', '12-gen2'] } as const;
    expect(faults({ image: 'Debian:debian-12:12-gen1:latest' }, { image })['image']).toBe(
      'there is no sku 12-gen1 of Debian:debian-12: did you mean 12-gen2?',
    );
    const id = '/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/images/z';
    expect(faults({ image: id }, { image: undefined, hasImage: false })).toEqual({
      image: `there is no image ${id}`,
    });
  });

  it('refuses every name that Berth may make up', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/),
        fc.infiniteStream(fc.noShrink(fc.double({ min: 0, max: 0.999, noNaN: true }))),
        (pool, numbers) => {
          const name = newMachineName(PoolName.parse(pool), () => numbers.next().value);
          expect(faults({ name })['name']).toMatch(/looks like a name that Berth makes up/);
        },
      ),
    );
  });

  it('changes nothing and throws nothing, whatever is asked', () => {
    const text = fc.string({ minLength: 1, maxLength: 30 });
    const request = fc.record(
      { size: text, zone: text, location: text, network: text, subnet: text, customData: text },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(request, (asked) => {
        const before = JSON.stringify(asked);
        for (const issue of faultsOf(NewMachine.parse({ name: 'box', ...asked }), around))
          expect(issue.message).not.toBe('');
        expect(JSON.stringify(asked)).toBe(before);
      }),
    );
  });
});

describe('quotas', () => {
  const size = { name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2 };
  const usages = (name: string, current: number) => ({ at: new Date(0), of: [{ name, current, limit: 10 }] });
  it.each([
    ['standardDSv5Family', 'regular'],
    ['cores', 'regular'],
    ['lowPriorityCores', 'spot'],
  ] as const)(
    'of %s have room for a %s machine, or are named with limit, usage and link',
    (name, priority) => {
      expect(() => requireQuota(size, priority, 'westeurope', usages(name, 8))).not.toThrow();
      const refused = expect.objectContaining({
        code: 'quota-exceeded',
        status: 409,
        message: `Standard_D2s_v5 needs 2 cores of the quota ${name} in westeurope, of whose 10 cores 9 are in use.`,
        remedy: expect.stringContaining('https://portal.azure.com/'),
      });
      expect(() => requireQuota(size, priority, 'westeurope', usages(name, 9))).toThrow(refused);
    },
  );
});
