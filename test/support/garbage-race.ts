import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { phasesOf } from '../../shared/model/care-run.ts';
import { Digest, type RepositoryName, type Tag } from '../../shared/model/image.ts';
import type { PolicyName } from '../../shared/model/names.ts';
import type { Access } from '../../shared/registry/access.ts';
import type { RegistryDeps } from '../../shared/registry/call.ts';
import type { Step } from '../../shared/registry/care/step.ts';
import { gcSteps } from '../../shared/registry/care/steps.ts';
import { blobsNamedBy } from '../../shared/registry/garbage/named.ts';
import { pathOf } from '../../shared/registry/hashing.ts';
import { RepositoryPolicy } from '../../shared/registry/policy/policy.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { retain } from '../../shared/registry/retention/retain.ts';
import { restoreManifest } from '../../shared/registry/trash/restore.ts';
import type { Blobs } from '../../shared/state/blobs.ts';
import type { Tables } from '../../shared/state/tables.ts';
import { Interleaving, interleavedBlobs, interleavedTables } from './interleaving.ts';
import { type Content, sha256, testImage, testIndex } from './oci-image.ts';
import { ORIGIN } from './registry-client.ts';
import { testRegistry } from './registry-server.ts';
import { random } from './sample.ts';

/** One race: clients push, delete and restore, while retention and garbage collection run, and time passes. */
export interface Race {
  readonly pushes: number;
  /** Pushes under way at once. */
  readonly width: number;
  /** Milliseconds that pass at most with each operation of storage. */
  readonly step: number;
  readonly clock: { now: number };
  /** By that clock. */
  readonly storage: Raw;
  /** Whether reads of the storage that wait for nobody are of one moment. */
  readonly isOneMoment: boolean;
}

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
const repositories = ['shop/web', 'shop/api', 'tools', 'x'] as RepositoryName[];
/** Nobody deletes here but retention; its images are indexes. */
const RETAINED = 'kept' as RepositoryName;
const tags = Array.from({ length: 10 }, (_, number) => `v${number}` as Tag);
/** Few layers, so that pushes meet on them. */
const layers = Array.from({ length: 40 }, (_, number) =>
  Buffer.from(`layer ${number} ${'.'.repeat(number * 20)}`),
);
const newImage = () => testImage(Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(layers)));

/** Everybody may do everything; signing tokens would take longer than all the rest. */
const access: readonly Access[] = [...repositories, RETAINED].map((name) => ({
  type: 'repository',
  name,
  actions: ['pull', 'push', 'delete'],
}));

async function makeWorld({ clock, storage: raw, step, isOneMoment }: Race) {
  const now = () => new Date(clock.now);
  const interleaving = new Interleaving(random, () => {
    clock.now += random() * step;
  });
  const storage = {
    blobs: interleavedBlobs(raw.blobs, interleaving.turn),
    tables: interleavedTables(raw.tables, interleaving.turn),
  };
  const over: Partial<RegistryDeps> = {
    now,
    pause: interleaving.turn,
    tokens: tokens as unknown as RegistryDeps['tokens'],
  };
  // What processes share, policies and the memory of what was recorded, belongs to no task.
  const policies = policyStore(raw.tables, now);
  const kept = {
    repositories: RETAINED,
    retention: [{ keepLast: 2, untaggedAfterDays: 0.5 }],
    restorableForDays: 1,
  };
  await policies.put('kept' as PolicyName, RepositoryPolicy.parse(kept));
  const { deps: shared } = await testRegistry(raw, { ...over, policies });
  const { handle, deps } = await testRegistry(storage, {
    ...over,
    policies,
    recorder: shared.recorder,
  });
  return { clock, now, raw, isOneMoment, interleaving, deps, handle };
}
const tokens = {
  verify: async () => ({ id: 'ci', access }),
  issue: async () => '',
  issuePullToken: async () => '',
};
type World = Awaited<ReturnType<typeof makeWorld>>;

const request = (
  { handle }: World,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> => {
  const headers = { authorization: 'Bearer x', ...(init.headers as Record<string, string>) };
  return handle(new Request(`${ORIGIN}/v2/${path}`, { method, ...init, headers }));
};
const bodyOf = ({ bytes }: Content) => ({
  body: bytes as Uint8Array<ArrayBuffer>,
  headers: { 'content-length': String(bytes.length) },
});

/** As clients push: what is there is not sent again, what another repository has is mounted. */
async function pushBlob(world: World, repository: string, blob: Content): Promise<void> {
  if ((await request(world, 'HEAD', `${repository}/blobs/${blob.digest}`)).status === 200) return;
  const way = random();
  if (way < 0.3) {
    const path = `${repository}/blobs/uploads/?mount=${blob.digest}&from=${pick(repositories)}`;
    const mounted = await request(world, 'POST', path);
    if (mounted.status === 201) return;
    expect(mounted.status).toBe(202);
    return finishUpload(world, mounted, blob);
  }
  if (way < 0.6)
    return finishUpload(world, await request(world, 'POST', `${repository}/blobs/uploads/`), blob);
  const path = `${repository}/blobs/uploads/?digest=${blob.digest}`;
  expect((await request(world, 'POST', path, bodyOf(blob))).status).toBe(201);
}

async function finishUpload(world: World, begun: Response, blob: Content): Promise<void> {
  const location = (begun.headers.get('location') ?? '').replace('/v2/', '');
  expect((await request(world, 'PATCH', location, bodyOf(blob))).status).toBe(202);
  expect((await request(world, 'PUT', `${location}?digest=${blob.digest}`)).status).toBe(201);
}

async function pushImage(world: World): Promise<void> {
  const began = world.clock.now;
  const repository = pick(repositories);
  const { blobs, manifest } = newImage();
  for (const blob of blobs) await pushBlob(world, repository, blob);
  const pushed = await request(world, 'PUT', `${repository}/manifests/${pick(tags)}`, {
    ...bodyOf(manifest),
    headers: { 'content-type': manifest.mediaType },
  });
  expect([pushed.status, pushed.status === 201 || (await pushed.text())]).toEqual([201, true]);
  // What garbage collection relies on: see garbage/README.md.
  expect(world.clock.now - began).toBeLessThan(12 * HOUR);
  if (world.isOneMoment) await expectWhole(world.raw, repository, manifest.digest as Digest);
}

async function pushIndex(world: World): Promise<void> {
  const began = world.clock.now;
  const parts = Array.from({ length: 1 + Math.floor(random() * 2) }, newImage);
  const push = async (reference: string, manifest: Content) => {
    const pushed = await request(world, 'PUT', `${RETAINED}/manifests/${reference}`, {
      ...bodyOf(manifest),
      headers: { 'content-type': manifest.mediaType },
    });
    expect([pushed.status, pushed.status === 201 || (await pushed.text())]).toEqual([201, true]);
  };
  for (const { blobs, manifest } of parts) {
    for (const blob of blobs) await pushBlob(world, RETAINED, blob);
    // As clients do: what is there is not sent again.
    const path = `${RETAINED}/manifests/${manifest.digest}`;
    if (random() < 0.5 || (await request(world, 'HEAD', path)).status !== 200)
      await push(manifest.digest, manifest);
  }
  const index = testIndex(parts);
  await push(pick(tags), index);
  expect(world.clock.now - began).toBeLessThan(12 * HOUR);
  if (world.isOneMoment) await expectWhole(world.raw, RETAINED, index.digest as Digest);
}

/** If the manifest is still part of the repository, then so is all that it names, in the same moment. */
async function expectWhole(raw: Raw, repository: RepositoryName, digest: Digest): Promise<void> {
  if ((await raw.tables.read('registry', partition(repository), `m!${digest}`)) === undefined) return;
  const manifest = await raw.blobs.read(`manifests/${pathOf(digest)}`);
  expect(manifest, `${repository}@${digest}`).toBeDefined();
  for (const child of childrenIn(manifest?.bytes)) {
    expect(
      await raw.tables.read('registry', partition(repository), `m!${child}`),
      `${digest}/${child}`,
    ).toBeDefined();
    await expectWhole(raw, repository, child);
  }
  for (const named of blobsNamedBy(manifest?.bytes ?? new Uint8Array())) {
    const where = `${repository}@${digest} names ${named}`;
    expect(await raw.tables.read('registry', partition(repository), `b!${named}`), where).toBeDefined();
    await expectContent(raw, named, where);
  }
}

const childrenIn = (bytes: Uint8Array | undefined): Digest[] =>
  (
    (JSON.parse(Buffer.from(bytes ?? []).toString()) as { manifests?: { digest: string }[] }).manifests ?? []
  ).map(({ digest }) => Digest.parse(digest));

async function expectContent(raw: Raw, digest: Digest, where: string): Promise<void> {
  const pointer = await raw.blobs.head(`blobs/${pathOf(digest)}`);
  expect(pointer, where).toBeDefined();
  const data = await raw.blobs.read(`data/${pointer?.metadata['data']}`);
  expect(data && sha256(data.bytes), where).toBe(digest);
}

interface Raw {
  readonly blobs: Blobs;
  readonly tables: Tables;
}
const partition = (repository: string): string => repository.replace('/', '=2F');

/** Somebody deletes, or brings back what was deleted. */
async function disturb(world: World): Promise<void> {
  const repository = pick(repositories);
  const way = random();
  if (way < 0.4) {
    const { status } = await request(world, 'DELETE', `${repository}/manifests/${pick(tags)}`);
    expect([202, 404]).toContain(status);
    return;
  }
  const prefix = way < 0.8 ? 'm!' : 'x!m!';
  const rows: string[] = [];
  const range = { partition: partition(repository), from: prefix, to: `${prefix}~` };
  for await (const { row } of world.raw.tables.list('registry', range)) rows.push(row);
  if (rows.length === 0) return;
  const digest = pick(rows).slice(prefix.length) as Digest;
  if (prefix === 'm!') {
    const { status } = await request(world, 'DELETE', `${repository}/manifests/${digest}`);
    expect([202, 404]).toContain(status);
    return;
  }
  const origin = { actor: 'ci', method: 'POST', host: 'registry.test' };
  try {
    await restoreManifest(world.deps, { repository, origin, force: random() < 0.5 }, digest);
  } catch (error) {
    // Somebody else restored it, or its time is over.
    expect((error as { code?: string }).code ?? (error as Error).name).toMatch(/nothing-to-restore|Conflict/);
    return;
  }
  if (world.isOneMoment) await expectWhole(world.raw, repository, digest);
}

let runs = 0;
async function collect({ deps, now }: Pick<World, 'deps' | 'now'>): Promise<void> {
  runs += 1;
  const startedAt = now();
  const order = {
    run: `run${runs}`,
    kind: 'gc' as const,
    dryRun: false,
    by: 'test',
    startedAt: startedAt.toISOString(),
  };
  for (const phase of phasesOf.gc) {
    const step: Step = gcSteps[phase];
    let cursor: string | undefined;
    do cursor = (await step(deps, { order, startedAt, cursor })).cursor;
    while (cursor !== undefined);
  }
}

async function applyRetention({ deps, now }: Pick<World, 'deps' | 'now'>): Promise<void> {
  const startedAt = now();
  const order = {
    run: `retention${runs}`,
    kind: 'retention' as const,
    dryRun: false,
    by: 'test',
    startedAt: startedAt.toISOString(),
  };
  const parts = { ...deps, running: async () => new Map() };
  let cursor: string | undefined;
  do {
    const page = await retain(parts, { order, startedAt, cursor });
    retained += page.findings.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
let retained = 0;

/** At the end nothing that a repository holds is missing, and after three collections past the ages no garbage is left. */
export async function raceGarbageCollection(race: Race): Promise<void> {
  const world = await makeWorld(race);
  const { raw, interleaving, clock } = world;

  let pushes = 0;
  function* tasks() {
    while (pushes < race.pushes) {
      if (random() < 0.4) yield { work: () => disturb(world) };
      if (random() < 0.12) yield { work: () => pushIndex(world) };
      pushes += 1;
      // One in ten is killed somewhere on its way.
      if (random() < 0.1) yield { work: () => pushImage(world), operations: Math.floor(random() * 40) };
      else yield { work: () => pushImage(world) };
    }
  }
  let collected = 0;
  const collecting = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      if (random() < 0.4) await applyRetention(world);
      await collect(world);
      collected += 1;
      if (race.isOneMoment)
        for (let idle = random() * 300; idle > 0 && !isOver(); idle -= 1) await interleaving.turn();
      else await setTimeout(1_000);
    }
  };
  await interleaving.all(tasks(), race.width, [collecting, collecting]);
  expect(collected).toBeGreaterThan(0);

  await applyRetention({ ...world, deps: { ...world.deps, ...raw } });
  if (race.isOneMoment) expect(retained).toBeGreaterThan(0);
  for (const wait of [8 * DAY, 26 * HOUR, 26 * HOUR]) {
    clock.now += wait;
    await collect({ ...world, deps: { ...world.deps, ...raw } });
  }
  await expectNothingMissing(raw);
  await expectNoGarbage(raw);
}

async function expectNothingMissing(raw: Raw): Promise<void> {
  let count = 0;
  for (const repository of [...repositories, RETAINED]) {
    const range = { partition: partition(repository), from: 'm!', to: 'm!~' };
    for await (const { row } of raw.tables.list('registry', range)) {
      await expectWhole(raw, repository, row.slice(2) as Digest);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(0);
}

/** What is stored is named by what a repository holds. */
async function expectNoGarbage(raw: Raw): Promise<void> {
  const manifests = new Set<string>();
  const named = new Set<string>();
  for (const repository of [...repositories, RETAINED]) {
    const of = { partition: partition(repository) };
    const own = new Set<string>();
    for await (const { row } of raw.tables.list('registry', { ...of, from: 'm!', to: 'm!~' })) {
      const digest = row.slice(2) as Digest;
      manifests.add(`manifests/${pathOf(digest)}`);
      const { bytes } = (await raw.blobs.read(`manifests/${pathOf(digest)}`)) as { bytes: Uint8Array };
      for (const blob of blobsNamedBy(bytes)) own.add(blob);
    }
    for (const blob of own) named.add(`blobs/${pathOf(blob as Digest)}`);
    for await (const { row } of raw.tables.list('registry', { ...of, from: 'b!', to: 'b!~' })) {
      expect(own, `${repository} ${row}`).toContain(row.slice(2));
    }
    for await (const { row } of raw.tables.list('registry', { ...of, from: 'x!', to: 'x!~' }))
      expect(row).toBe('nothing that could be restored');
  }
  const data = new Set<string>();
  for await (const { name, metadata } of raw.blobs.list('')) {
    if (name.startsWith('blobs/')) {
      expect(named).toContain(name);
      data.add(`data/${metadata['data']}`);
    } else if (name.startsWith('manifests/')) expect(manifests).toContain(name);
    else expect(name).toMatch(/^data\//);
  }
  for await (const { name } of raw.blobs.list('data/')) expect(data).toContain(name);
}
