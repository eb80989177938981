import { test } from 'vitest';
import { agedBlobs } from '../../support/aged-blobs.ts';
import { raceGarbageCollection } from '../../support/garbage-race.ts';
import { registryStorages } from '../../support/registry-storage.ts';
import { long } from '../../support/sample.ts';

test('on Azurite: pushes race two garbage collections', { timeout: 600_000 }, async () => {
  const azurite = await registryStorages.azurite();
  try {
    const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
    await raceGarbageCollection({
      pushes: long ? 100 : 8,
      width: 4,
      step: 40_000,
      clock,
      storage: { ...azurite, blobs: agedBlobs(azurite.blobs, () => new Date(clock.now)) },
      isOneMoment: false,
    });
  } finally {
    await azurite.stop();
  }
});
