import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Digest } from '../shared/model/image.ts';
import { Revision, RolloutStatus } from '../shared/model/service.ts';
import { containerNetwork } from '../shared/workloads/container-network.ts';
import { replicaContainer } from '../shared/workloads/replica-container.ts';
import { type Row, rowOf } from './row.ts';
import { settled } from './settled.ts';
import type { WarmMachine } from './warm-machine.ts';
import { now } from './webhook.ts';

const ROUNDS = 10;
const REPOSITORY = 'hello/web';
const TAG = 'bench';
const SERVICE = '/api/v1/environments/dev/services/bench/page';
/** A service that serves nothing: it is healthy when it has run for a second, and is removed without being asked to end. */
export const page = {
  image: `${REPOSITORY}:${TAG}`,
  command: ['sleep', '3600'],
  replicas: 1,
  stopGrace: 0,
  resources: { cpu: 0.02, memory: 16 },
};

/** From the push of a tag to the running container of its new image, against pulling, creating and starting it. */
export async function benchPush(machine: WarmMachine): Promise<Row> {
  const { engine, events, running } = machine;
  const registry = await registryOf(machine);
  const host = `${running.dataCentre.gateway}:${running.dataCentre.ports.app}`;
  const imageOf = (digest: Digest): string => `${host}/${REPOSITORY}@${digest}`;

  await registry.put(TAG, registry.variant());
  const revision = await rolledOut(machine);
  const direct = async (): Promise<number> => {
    const manifest = registry.variant();
    await registry.put(manifest.digest, manifest);
    const token = await registry.token('pull');
    const { labels, ...request } = replicaContainer(
      { key: revision.key, revision: 1, slot: 0, generation: 1, address: '' },
      { ...revision, digest: manifest.digest },
      host,
      containerNetwork(revision.key, machine.machine),
    );
    await settled();
    const began = now();
    await engine.pull(request.image, token);
    const { id } = await engine.create({ ...request, labels: foreign(labels) });
    await engine.start(id);
    const seen = await events.started(request.image);
    await engine.remove(id);
    return seen.running - began;
  };
  const ours: number[] = [];
  const reference: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const manifest = registry.variant();
    await settled();
    const began = now();
    await registry.put(TAG, manifest);
    ours.push((await events.started(imageOf(manifest.digest))).running - began);
    await rolledOut(machine, manifest.digest);
    reference.push(await direct());
  }
  return rowOf('push to running', 'ms', 'lower', ours, reference);
}

/** As many labels, but not Berth's: the sweep would remove a container that no service owns. */
export const foreign = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name.replace('berth', 'bench'), value]));

interface Manifest {
  readonly digest: Digest;
  readonly type: string;
  readonly text: string;
}

/** The registry as a client that has all layers there already sees it. */
async function registryOf({ running }: WarmMachine) {
  const { dataCentre, keys } = running;
  const origin = `https://${dataCentre.gateway}:${dataCentre.ports.app}`;
  const token = async (actions: string): Promise<string> => {
    const response = await fetch(`${origin}/v2/token?scope=repository:${REPOSITORY}:${actions}`, {
      headers: { authorization: `Basic ${btoa(`admin:${keys.admin}`)}` },
    });
    return z.object({ token: z.string() }).parse(await response.json()).token;
  };
  const call = async (method: string, reference: string, manifest?: Manifest): Promise<Response> => {
    const response = await fetch(`${origin}/v2/${REPOSITORY}/manifests/${reference}`, {
      method,
      headers: {
        authorization: `Bearer ${await token('pull,push')}`,
        ...(manifest === undefined
          ? { accept: 'application/vnd.docker.distribution.manifest.v2+json' }
          : { 'content-type': manifest.type }),
      },
      ...(manifest === undefined ? {} : { body: manifest.text }),
    });
    if (response.ok) return response;
    throw new Error(`${method} ${reference} was answered with ${response.status}: ${await response.text()}`);
  };
  const first = await call('GET', 'latest');
  const type = first.headers.get('content-type') ?? '';
  let text = await first.text();
  return {
    token,
    /** The same image under another digest: a further line end says nothing to anybody. */
    variant(): Manifest {
      text += '\n';
      const digest = Digest.parse(`sha256:${createHash('sha256').update(text).digest('hex')}`);
      return { digest, type, text };
    },
    async put(reference: string, manifest: Manifest): Promise<void> {
      await (await call('PUT', reference, manifest)).text();
    },
  };
}

const Status = z.object({
  service: z.object({
    revision: z.number().optional(),
    healthyRevision: z.number().optional(),
    rollout: RolloutStatus,
  }),
});
const Revisions = z.object({ revisions: z.array(Revision) });

/** Waits until the last push is rolled out. */
async function rolledOut({ call }: WarmMachine, digest?: Digest): Promise<Revision> {
  for (;;) {
    const { service } = await call(Status, 'GET', SERVICE);
    const { rollout, revision, healthyRevision } = service;
    if (rollout.state === 'failed') throw new Error(`the rollout failed: ${JSON.stringify(rollout)}`);
    if (rollout.state === 'done' && revision !== undefined && revision === healthyRevision) {
      const { revisions } = await call(Revisions, 'GET', `${SERVICE}/revisions`);
      const newest = revisions.find(({ number }) => number === revision);
      if (newest !== undefined && (digest === undefined || newest.digest === digest)) return newest;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
