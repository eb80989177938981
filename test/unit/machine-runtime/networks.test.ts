import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressIn, freeSubnet, overlaps } from '../../../infra/local/machine-runtime/free-subnet.ts';
import { parseNameServers, parseRoutes } from '../../../infra/local/machine-runtime/host-routes.ts';

describe('a free subnet', () => {
  it('touches nothing that is taken', () => {
    const network = fc
      .tuple(fc.constantFrom(10, 172, 192), fc.nat(255), fc.nat(255), fc.integer({ min: 9, max: 32 }))
      .map(([a, b, c, bits]) => `${a}.${b}.${c}.0/${bits}`);
    fc.assert(
      fc.property(fc.array(network, { maxLength: 8 }), (taken) => {
        const found = freeSubnet(20, taken);
        expect(taken.filter((one) => overlaps(one, found))).toEqual([]);
      }),
    );
  });

  it('begins where companies and clouds do not', () => {
    expect(freeSubnet(20, [])).toBe('10.64.0.0/20');
    expect(freeSubnet(20, ['10.64.0.1/24', '10.64.16.0/20'])).toBe('10.64.32.0/20');
    expect(addressIn('10.64.32.0/20', 10)).toBe('10.64.32.10');
  });

  it('says when nothing is free, and what is no network', () => {
    expect(() => freeSubnet(20, ['0.0.0.0/0'])).toThrow(/No private network/);
    expect(() => overlaps('10.0.0/8', '10.0.0.0/8')).toThrow(/"10.0.0\/8" is not an IPv4 network/);
  });
});

describe('this computer’s network', () => {
  it('reads the routes that it has, without the default route', () => {
    const table = `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br-1\t0010400A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
`;
    expect(parseRoutes(table)).toEqual(['172.17.0.0/16', '10.64.16.0/20']);
  });

  it('reads name servers that machines can reach', () => {
    expect(parseNameServers('search a.b\nnameserver 127.0.0.53\noptions edns0\n')).toEqual([]);
    expect(parseNameServers('nameserver 10.0.0.2\nnameserver fe80::1\nnameserver 9.9.9.9 \n')).toEqual([
      '10.0.0.2',
      '9.9.9.9',
    ]);
  });
});
