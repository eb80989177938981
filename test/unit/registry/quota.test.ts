import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Digest, RepositoryName } from '../../../shared/model/image.ts';
import type { PolicyName } from '../../../shared/model/names.ts';
import { RegistryError } from '../../../shared/registry/errors.ts';
import { linkBlob } from '../../../shared/registry/links.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { countUse, forgetUse, readUse } from '../../../shared/registry/quota/use.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { Conflict } from '../../../shared/state/tables.ts';

const repository = 'shop' as RepositoryName;
const digest = (number: number) => `sha256:${String(number).padStart(64, '0')}` as Digest;

const step = fc.oneof(
  fc.record({
    do: fc.constant('link' as const),
    by: fc.nat(1),
    blob: fc.nat(9),
    size: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ do: fc.constant('unlink' as const), blob: fc.nat(9) }),
  fc.record({ do: fc.constant('quota' as const), by: fc.nat(1), bytes: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ do: fc.constant('none' as const), by: fc.nat(1) }),
  fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 4, 60, 130, 90_000) }),
);

test('the sum is what the rows come to, and no process that knows of the quota passes it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = { now: Date.parse('2026-11-25T00:00:00Z') };
      const now = () => new Date(clock.now);
      const tables = memoryTables();
      // Two processes, each of which goes on with the policies that it read for three seconds.
      const processes = [policyStore(tables, now), policyStore(tables, now)];
      const sizes = new Map<number, number>();
      let changed = 0;
      for (const one of steps) {
        const policies = processes['by' in one ? one.by : 0]!;
        if (one.do === 'pass') clock.now += one.seconds * 1000;
        else if (one.do === 'quota' || one.do === 'none') {
          const policy = { repositories: 'shop', ...(one.do === 'quota' ? { quota: one.bytes } : {}) };
          await policies.put('p' as PolicyName, RepositoryPolicy.parse(policy));
          changed = clock.now;
        } else if (one.do === 'unlink') {
          try {
            await tables.commit('registry', repository, [
              { kind: 'delete', row: `b!${digest(one.blob)}` },
              forgetUse(),
            ]);
          } catch (error) {
            expect(error).toBeInstanceOf(Conflict);
          }
        } else {
          // A digest has one size.
          const size = sizes.get(one.blob) ?? one.size;
          sizes.set(one.blob, size);
          const before = await countUse(tables, repository);
          const { quota } = await policies.of(repository);
          const isThere = (await tables.read('registry', repository, `b!${digest(one.blob)}`)) !== undefined;
          const wanted = before + (isThere ? 0 : size);
          const refused = await linkBlob({ tables, policies, now }, repository, digest(one.blob), size).then(
            () => undefined,
            (error: unknown) => error,
          );
          const isOver = quota !== undefined && !isThere && wanted > quota;
          expect(refused === undefined).toBe(!isOver);
          if (isOver) {
            expect(refused).toBeInstanceOf(RegistryError);
            expect((refused as RegistryError).detail).toEqual({ quota, used: before, wanted: size });
          }
        }
        // Once every process has heard of the last change, what is read is what is there.
        if (clock.now - changed < 3_000) continue;
        const { bytes } = await readUse(tables, repository, {
          now: now(),
          changedAt: await processes[0]!.changedAt(),
        });
        expect(bytes).toBe(await countUse(tables, repository));
      }
    }),
  );
});
