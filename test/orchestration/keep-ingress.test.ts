import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { balanceIngressActivity } from '../../functions/activities/balance-ingress.ts';
import {
  beginIngressImageActivity,
  lookAtIngressImageActivity,
} from '../../functions/activities/build-ingress-image.ts';
import { lookAtIngressActivity } from '../../functions/activities/look-at-ingress.ts';
import { noteIngressActivity } from '../../functions/activities/note-ingress.ts';
import {
  dueCertificatesActivity,
  obtainCertificateActivity,
} from '../../functions/activities/obtain-certificate.ts';
import { pushIngressActivity } from '../../functions/activities/push-ingress.ts';
import { keep } from '../../functions/orchestrators/keep-ingress.ts';
import type { Services } from '../../functions/services.ts';
import { sweepIngress } from '../../functions/sweep-ingress.ts';
import { memoryBalancer } from '../../shared/ingress/balancer/balancer.memory.ts';
import { acmeStore } from '../../shared/ingress/certificates/acme-store.ts';
import { claimRoutes } from '../../shared/ingress/claims.ts';
import { deployIngress } from '../../shared/ingress/ingress-activities.ts';
import { INGRESS } from '../../shared/ingress/ingress-application.ts';
import { changeState, ingressStores, readState } from '../../shared/ingress/ingress-state.ts';
import { joinBalancer } from '../../shared/ingress/join-balancer.ts';
import { deploymentOf } from '../../shared/ingress/next-step.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { Machine } from '../../shared/model/machine.ts';
import { EnvironmentName } from '../../shared/model/names.ts';
import { Replica } from '../../shared/model/service.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { placeOf, stores } from '../../shared/workloads/stores.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const dev = EnvironmentName.parse('dev');
const at = '2026-11-30T12:00:00Z';
const app = (hosts: string[]) =>
  ApplicationSpec.parse({
    name: 'shop',
    services: {
      web: { image: `a/b@sha256:${'a'.repeat(64)}`, port: 80, routes: hosts.map((host) => ({ host })) },
    },
  });

const ingressReplica = Replica.parse({
  key: INGRESS,
  revision: 1,
  slot: 0,
  generation: 1,
  machine: 'default-mmmmmm',
  address: '10.0.0.4',
  port: 20_000,
  containerId: 'c',
  status: { state: 'healthy', since: at },
});

/** A world in which an engine makes images at once, and a deployment brings its replicas at once. */
async function world() {
  const tables = memoryTables();
  const documents = stores(tables);
  const ingress = ingressStores(tables);
  const balancer = memoryBalancer();
  const clock = { now: new Date(at) };
  let pushes = 0;
  const machine = Machine.parse({
    name: 'default-mmmmmm',
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: 'm', nic: 'm-nic', disk: 'm-disk' },
    vmId: 'x',
    address: '10.0.0.4',
    cpu: 2,
    memory: 4096,
    labels: {},
    status: { state: 'ready', since: at },
    owner: 'x',
    heardAt: at,
  });
  await documents.machines.insert(...placeOf.machine(machine.pool, machine.name), machine);
  await changeState(ingress, (state) => ({ ...state, settings: { ...state.settings, replicas: 1 } }));
  const builder = { id: 'b', name: 'b', image: 'i', labels: {} };
  const ended = { state: 'exited', exitCode: 0, finishedAt: at, outOfMemory: false } as const;
  const made = {
    tables,
    stores: documents,
    ingress,
    balancer,
    now: () => clock.now,
    acme: acmeStore(tables),
    settings: { hostname: 'registry.example', acme: { directory: 'https://ca.example', contact: undefined } },
    registry: { tokens: { issue: async () => 'token' } },
    machines: { get: async () => machine },
    notice: {
      push: async () => {
        pushes += 1;
        return { version: pushes, failed: [] };
      },
    },
    engineOf: async () => ({
      inspect: async () => ({ ...builder, state: ended }),
      async *logs() {
        yield { stream: 'stdout', time: at, text: 'haproxy 2.6.12-1' };
      },
    }),
    insideOf: async () => ({
      importImage: async () => {},
      createRaw: async () => 'b',
      put: async () => {},
      take: async () => new Uint8Array(0),
      pushImage: async () => `sha256:${'b'.repeat(64)}`,
      removeImage: async () => {},
      removeContainer: async () => {},
    }),
  } as unknown as Services;
  const replica = ingressReplica;
  /** What the real one brings about through an event. */
  const deploy: Activity<never, unknown> = {
    signature: deployIngress as never,
    async run(input) {
      const { remove } = deployIngress.input.parse(input);
      if (remove) {
        await documents.replicas.delete(...placeOf.replica(replica));
        await changeState(ingress, ({ deployed: _, ...state }) => state);
      } else {
        await documents.replicas.upsert(...placeOf.replica(replica), replica);
        await changeState(ingress, (state) => ({ ...state, deployed: deploymentOf(state) }));
      }
      return { outcome: 'done', value: {} };
    },
  };
  const activities = [
    balanceIngressActivity,
    beginIngressImageActivity,
    lookAtIngressImageActivity,
    lookAtIngressActivity,
    noteIngressActivity,
    dueCertificatesActivity,
    obtainCertificateActivity,
    pushIngressActivity,
    deploy,
  ] as unknown as Activity<never, unknown>[];
  const run = (instanceId: string, meanwhile?: () => Promise<void>) =>
    runOrchestration(keep, undefined, {
      instanceId,
      activities,
      services: made,
      clock,
      ...(meanwhile && { meanwhile }),
    });
  return { tables, made, ingress, balancer, run, machine };
}

describe('what keeps the ingress', () => {
  it('makes image, application and balancer with the first route, and removes them with the last', async () => {
    const { tables, ingress, balancer, run, machine } = await world();
    await claimRoutes(tables, dev, app(['a.example']), at);
    const first = await run('one');
    expect(first.output).toEqual({ state: 'done' });
    expect(first.asked.map(({ name }) => name).filter((name) => name !== 'look-at-ingress')).toEqual([
      'push-ingress',
      'begin-ingress-image',
      'look-at-ingress-image',
      'deploy-ingress',
      'balance-ingress',
      'push-ingress',
      'due-certificates',
      'note-ingress',
    ]);
    expect(balancer.members()).toEqual([machine.resources.nic]);
    expect(await readState(ingress)).toMatchObject({
      image: { version: '2.6.12-1' },
      balancer: { state: 'ready', address: '192.0.2.1' },
    });
    await claimRoutes(tables, dev, app([]), at);
    expect((await run('two')).output).toEqual({ state: 'done' });
    expect(balancer.members()).toBeUndefined();
    const { balancer: left, deployed } = await readState(ingress);
    expect([left, deployed]).toEqual([undefined, undefined]);
  });

  it('has the balancer lead to a new machine before the old one is left, once there is a balancer', async () => {
    const { tables, made, ingress, balancer, run, machine } = await world();
    const join = () => joinBalancer({ ...made, sleep: async () => {} });
    await claimRoutes(tables, dev, app(['a.example']), at);
    await join();
    expect(balancer.members()).toBeUndefined();
    await run('one');
    const other = Machine.parse({
      ...machine,
      name: 'default-nnnnnn',
      resources: { vm: 'n', nic: 'n-nic', disk: 'n' },
    });
    await made.stores.machines.insert(...placeOf.machine(other.pool, other.name), other);
    const moved = Replica.parse({ ...ingressReplica, machine: other.name, generation: 2 });
    await made.stores.replicas.upsert(...placeOf.replica(moved), moved);
    await join();
    expect(balancer.members()).toEqual(['m-nic', 'n-nic']);
    expect((await readState(ingress)).balancer?.members).toEqual(['m-nic', 'n-nic']);
  });

  it('leaves it to a later one that took it over', async () => {
    const { tables, ingress, run } = await world();
    await claimRoutes(tables, dev, app(['a.example']), at);
    let turns = 0;
    const { output } = await run('one', async () => {
      turns += 1;
      if (turns === 2) await changeState(ingress, (state) => ({ ...state, owner: 'two' }));
    });
    expect(output).toEqual({ state: 'superseded' });
  });

  it('writes why it failed, and the sweep begins again once some time has passed, not before', async () => {
    const { tables, made, ingress, run } = await world();
    await claimRoutes(tables, dev, app(['a.example']), at);
    Object.assign(made, {
      balancer: {
        ensure: async () => ({
          state: 'refused',
          code: 'PublicIPCountLimitReached',
          message: 'ten are enough',
        }),
      },
    });
    expect((await run('one')).output).toEqual({ state: 'failed' });
    expect((await readState(ingress)).failure).toMatchObject({
      code: 'PublicIPCountLimitReached',
      reason: 'ten are enough',
    });
    const started: string[] = [];
    const client = {
      getStatus: async () => ({ runtimeStatus: 'Completed' }),
      startNew: async (name: string) => void started.push(name),
    } as unknown as DurableClient;
    await sweepIngress(made, client);
    expect(started).toEqual([]);
    const later = made.now().getTime() + 301_000;
    await sweepIngress({ ...made, now: () => new Date(later) }, client);
    expect(started).toEqual(['keep-ingress']);
  });
});
