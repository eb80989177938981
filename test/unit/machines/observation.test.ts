import { describe, expect, it } from 'vitest';
import { MachineObservation, RegistrationRequest } from '../../../shared/machines/observation.ts';

const observation = {
  time: '2026-01-02T03:04:05.678Z',
  containers: [
    {
      ...{ id: 'a'.repeat(64), name: 'web', state: 'exited', exitCode: 137 },
      labels: { 'berth.environment': 'dev' },
    },
  ],
  usage: { cpu: 0.02, memory: 120, disk: 900 },
  died: [
    {
      ...{ id: 'a'.repeat(64), name: 'web', exitCode: 137, time: '2026-01-02T03:04:05.123456789Z' },
      labels: { 'berth.environment': 'dev' },
    },
  ],
};

describe('an observation', () => {
  it('is what the agent sends', () => {
    expect(MachineObservation.parse(observation)).toEqual(observation);
  });

  it('with anything else is refused', () => {
    expect(MachineObservation.safeParse({ ...observation, host: 'x' }).success).toBe(false);
    expect(MachineObservation.safeParse({ ...observation, usage: { cpu: -1 } }).success).toBe(false);
  });
});

describe('a registration', () => {
  it('carries a certificate request', () => {
    expect(RegistrationRequest.safeParse({ csr: 'hello' }).success).toBe(false);
    const csr = '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n';
    const hostKey = `ssh-ed25519 ${'A'.repeat(68)}`;
    expect(RegistrationRequest.safeParse({ csr, hostKeys: [hostKey] }).success).toBe(true);
    // It becomes a line of a file that ssh reads.
    for (const bad of [`${hostKey}\n* ${hostKey}`, `${hostKey} comment`, `@cert-authority * ${hostKey}`])
      expect(RegistrationRequest.safeParse({ csr, hostKeys: [bad] }).success).toBe(false);
    expect(
      RegistrationRequest.safeParse({ csr: '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n' }).success,
    ).toBe(true);
  });
});
