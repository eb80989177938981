import { test } from 'vitest';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { raceGarbageCollection } from '../../support/garbage-race.ts';
import { long } from '../../support/sample.ts';

const pushes = long ? 10_000 : 300;

test(`${pushes} concurrent pushes race garbage collection: nothing referenced is missing, no garbage is left`, {
  timeout: 3_600_000,
}, async () => {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  await raceGarbageCollection({
    pushes,
    width: long ? 150 : 15,
    step: long ? 3_000 : 30_000,
    clock,
    storage: { blobs: memoryBlobs(() => new Date(clock.now)), tables: memoryTables() },
    isOneMoment: true,
  });
});
