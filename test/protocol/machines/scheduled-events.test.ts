import 'reflect-metadata';
import { HttpRequest, type HttpResponseInit, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withProblems } from '../../../functions/http/endpoint.ts';
import { announce } from '../../../functions/http/machine-events.ts';
import type { Services } from '../../../functions/services.ts';
import { memoryEngine } from '../../../shared/docker/engine.memory.ts';
import { identityTokens } from '../../../shared/machines/identity-token.ts';
import { virtualMachineId } from '../../../shared/machines/machine-names.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { MachineRoom, machineRow, Reservation, reservationRow } from '../../../shared/scheduling/rows.ts';
import { documents } from '../../../shared/state/documents.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { startTokenAuthority, type TokenAuthority } from '../../support/token-authority.ts';

const name = MachineName.parse('default-k3x9bc');
const vmId = virtualMachineId('sub', 'group', name);
const NOW = new Date('2026-11-25T12:00:00Z');

describe('what Azure announces to a machine', () => {
  let authority: TokenAuthority;
  beforeAll(async () => {
    authority = await startTokenAuthority();
  });
  afterAll(() => authority?.close());

  async function world() {
    const tables = memoryTables();
    const started: string[] = [];
    const client = {
      getStatus: async () => {
        throw new Error('DurableClient error: Durable Functions extension replied with HTTP 404 response.');
      },
      startNew: async (_name: string, { instanceId }: { instanceId: string }) =>
        void started.push(instanceId),
    } as unknown as DurableClient;
    const services = {
      now: () => NOW,
      tables,
      machines: machineStore(tables),
      machineTokens: identityTokens(authority.url),
      engineOf: async () => memoryEngine(),
    } as unknown as Services;
    await services.machines.add(
      Machine.parse({
        name,
        pool: 'default',
        size: 'Standard_D2s_v5',
        image: 'x',
        resources: { vm: name, nic: `${name}-nic`, disk: `${name}-disk` },
        vmId,
        address: '10.20.0.4',
        cpu: 2,
        memory: 3686,
        priority: 'spot',
        status: { state: 'ready', since: NOW.toISOString() },
        owner: 'x',
      }),
    );
    // A run of a job is there, which is left to end.
    const reservation = `ev-${'0'.repeat(40)}.a1`;
    await documents(tables, 'capacity', Reservation).insert('default', reservationRow(reservation), {
      reservation,
      machine: name,
      group: 'dev.hello.tidy',
      cpu: 1,
      memory: 64,
    });
    const tell = async (events: object[], token?: string) => {
      const request = new HttpRequest({
        method: 'POST',
        url: `http://localhost/api/v1/machines/${name}/scheduled-events`,
        params: { name },
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${token ?? (await authority.issue({ xms_mirid: vmId }))}`,
        },
        body: { string: JSON.stringify({ events }) },
      });
      const handler = withProblems((given) => announce(given, services, client));
      return (await handler(request, new InvocationContext())) as HttpResponseInit;
    };
    const room = async () =>
      (await documents(tables, 'capacity', MachineRoom).get('default', machineRow(name)))?.value;
    return { services, started, tell, room };
  }
  const event = (EventType: string) => ({
    EventId: 'E1',
    EventType,
    Resources: [name],
    EventStatus: 'Scheduled',
    NotBefore: 'Wed, 25 Nov 2026 12:00:30 GMT',
  });

  it('a preemption cordons, closes and drains it at once, however often it is told', async () => {
    const { services, started, tell, room } = await world();
    expect(await tell([event('Preempt')])).toEqual({ status: 200, jsonBody: { approve: [] } });
    await tell([event('Preempt')]);
    expect((await services.machines.get(name))?.cordon).toMatchObject({
      by: 'eviction',
      until: '2026-11-25T12:00:30.000Z',
    });
    expect((await room())?.closed).toBe(true);
    expect(new Set(started)).toEqual(new Set([`drain-${name}`]));
  });

  it('it is approved once nothing is there', async () => {
    const { services, tell } = await world();
    await tell([event('Terminate')]);
    await services.machines.change(name, (machine) => ({
      ...machine,
      ...(machine.cordon && { cordon: { ...machine.cordon, drainedAt: NOW.toISOString() } }),
    }));
    expect(await tell([event('Terminate')])).toMatchObject({ jsonBody: { approve: ['E1'] } });
  });

  it('after maintenance it is open again', async () => {
    const { services, tell, room } = await world();
    await tell([event('Redeploy')]);
    expect((await services.machines.get(name))?.cordon?.by).toBe('maintenance');
    await tell([]);
    expect((await services.machines.get(name))?.cordon).toBeUndefined();
    expect((await room())?.closed).toBeUndefined();
  });

  it('is heard from the machine itself only', async () => {
    const { services, tell } = await world();
    const other = await authority.issue({ xms_mirid: `${vmId}x` });
    expect((await tell([event('Preempt')], other)).status).toBe(403);
    expect((await services.machines.get(name))?.cordon).toBeUndefined();
  });
});
