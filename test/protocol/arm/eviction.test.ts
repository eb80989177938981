import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScheduledEvents, scheduledEvents } from '../../../infra/local/identity/scheduled-events.ts';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { azureEvictions } from '../../../shared/machines/replacement/evictions.azure.ts';
import { credential, startTestArm, type TestArm } from '../../support/arm.ts';
import { nicBody, nicPath, settled, VNET, vmBody, vmPath, vnetBody } from './resources.ts';

describe('ARM: eviction of spot machines', () => {
  let arm: TestArm;
  let events: ScheduledEvents;
  beforeEach(async () => {
    events = scheduledEvents();
    arm = await startTestArm({ events });
    await settled(arm, 'PUT', VNET, vnetBody());
  });
  afterEach(() => arm?.close());

  const make = async (name: string, properties: object) => {
    await settled(arm, 'PUT', nicPath(`${name}-nic`), nicBody());
    await settled(arm, 'PUT', vmPath(name), vmBody(`${name}-nic`, { properties }));
  };
  const spot = (evictionPolicy: string) => ({
    priority: 'Spot',
    evictionPolicy,
    billingProfile: { maxPrice: -1 },
    hardwareProfile: { vmSize: 'Standard_D2s_v5' },
  });
  const simulate = (name: string) => arm.call('POST', `${vmPath(name)}/simulateEviction`);
  const announcedTo = async (name: string) => {
    const { id } = (await arm.call('GET', vmPath(name))).body;
    return { id, events: events.of(id).events };
  };

  it('is announced 30 seconds before, and begins when the machine approves', async () => {
    await make('vm', spot('Delete'));
    const before = Date.now();
    await azureEvictions(armClients(arm.settings, credential)).simulate('vm');
    const { id, events: shown } = await announcedTo('vm');
    expect(shown).toMatchObject([{ type: 'Preempt', status: 'Scheduled' }]);
    expect(shown[0]!.notBefore.getTime() - before).toBeGreaterThanOrEqual(30_000);
    await simulate('vm');
    expect((await announcedTo('vm')).events).toHaveLength(1);
    events.approve(id, shown[0]!.id);
    await new Promise((resolve) => setImmediate(resolve));
    await arm.idle();
    expect((await arm.call('GET', vmPath('vm'))).status).toBe(404);
    expect(events.of(id).events).toEqual([]);
  });

  it('leaves a deallocated machine where its policy says so', async () => {
    await make('vm', spot('Deallocate'));
    expect((await simulate('vm')).status).toBe(204);
    const { id, events: shown } = await announcedTo('vm');
    events.approve(id, shown[0]!.id);
    await new Promise((resolve) => setImmediate(resolve));
    await arm.idle();
    const { statuses } = (await arm.call('GET', `${vmPath('vm')}/instanceView`)).body;
    expect(statuses.map(({ code }: { code: string }) => code)).toContain('PowerState/deallocated');
  });

  it('a machine that is no spot machine is not taken, and one that was removed meanwhile is not missed', async () => {
    await make('vm', {});
    expect(await simulate('vm')).toMatchObject({
      status: 409,
      body: { error: { code: 'OperationNotAllowed' } },
    });
    await expect(azureEvictions(armClients(arm.settings, credential)).simulate('vm')).rejects.toThrow(
      'Azure does not take vm back: OperationNotAllowed',
    );
    await make('spot', spot('Delete'));
    await simulate('spot');
    const { id, events: shown } = await announcedTo('spot');
    await settled(arm, 'DELETE', vmPath('spot'));
    events.approve(id, shown[0]!.id);
    await arm.idle();
    expect((await arm.call('GET', vmPath('spot'))).status).toBe(404);
  });
});
