import { afterAll, beforeAll } from 'vitest';
import { containerdTests } from './registry-clients/containerd.ts';
import { craneTests } from './registry-clients/crane.ts';
import { dockerTests } from './registry-clients/docker.ts';
import { orasTests } from './registry-clients/oras.ts';
import { podmanTests } from './registry-clients/podman.ts';
import { skopeoTests } from './registry-clients/skopeo.ts';
import { startWorld, type World } from './registry-clients/world.ts';

/** The clients that people use, each against the registry's own process, with one content of known digests. */
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

for (const tests of [craneTests, orasTests, skopeoTests, containerdTests, dockerTests])
  await tests(() => world);
for (const name of ['podman', 'buildah'] as const) await podmanTests(() => world, name);
