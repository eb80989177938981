import { performance } from 'node:perf_hooks';
import { newContent } from './content.ts';
import type { Contestant } from './contestant.ts';
import { forgetPeak, peakOf } from './memory.ts';

/** One thing that is measured. */
export interface Measure {
  readonly name: string;
  readonly unit: 'MB/s' | 'requests/s';
  /** Rates by the contestant's name, one for each round. */
  readonly rates: ReadonlyMap<string, number[]>;
  /** Highest memory of its process meanwhile, bytes. */
  readonly peaks: ReadonlyMap<string, number>;
  /** Why somebody has no rate, by the contestant's name. */
  readonly failures: ReadonlyMap<string, string>;
}

type Work = (contestant: Contestant) => Promise<number>;

/** Every contestant in turns, `rounds` times. `work` gives what it did, in the unit; who fails is out of it. */
async function take(
  contestants: readonly Contestant[],
  rounds: number,
  name: string,
  unit: Measure['unit'],
  work: Work,
): Promise<Measure> {
  const rates = new Map<string, number[]>(contestants.map((contestant) => [contestant.name, []]));
  const peaks = new Map<string, number>();
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round += 1)
    // Not always the same one first.
    for (const contestant of [
      ...contestants.slice(round % contestants.length),
      ...contestants.slice(0, round % contestants.length),
    ]) {
      const { name: who, pid } = contestant;
      if (failures.has(who)) continue;
      try {
        await contestant.prepare();
        if (pid !== undefined) await forgetPeak(pid);
        rates.get(who)?.push(await work(contestant));
        if (pid !== undefined) peaks.set(who, Math.max(peaks.get(who) ?? 0, await peakOf(pid)));
      } catch (error) {
        failures.set(who, error instanceof Error ? error.message : String(error));
        rates.delete(who);
        peaks.delete(who);
      }
    }
  return { name, unit, rates, peaks, failures };
}

/** Push of new content and its pull, `width` at once. */
export async function transfer(
  contestants: readonly Contestant[],
  size: number,
  width: number,
  rounds: number,
  label: string,
): Promise<readonly Measure[]> {
  const pushed = new Map<string, ReturnType<typeof newContent>[]>();
  const all = async (
    contents: readonly ReturnType<typeof newContent>[],
    one: (content: ReturnType<typeof newContent>) => Promise<void>,
  ) => {
    const began = performance.now();
    await Promise.all(contents.map(one));
    return (size * contents.length) / 1e6 / ((performance.now() - began) / 1000);
  };
  const push = await take(contestants, rounds, `push ${label}`, 'MB/s', async (contestant) => {
    const contents = Array.from({ length: width }, () => newContent(size));
    pushed.set(contestant.name, contents);
    return all(contents, (content) => contestant.push(content));
  });
  const pulling = contestants.filter(({ only, name }) => only !== 'push' && push.rates.has(name));
  const pull = await take(pulling, rounds, `pull ${label}`, 'MB/s', (contestant) =>
    all(pushed.get(contestant.name) ?? [], (content) => contestant.pull(content)),
  );
  return [push, pull];
}

/** Requests of manifests, eight at once. */
export async function manifests(all: readonly Contestant[], rounds: number): Promise<readonly Measure[]> {
  const contestants = all.filter(({ only }) => only !== 'push');
  const [config, layer] = [newContent(2_000), newContent(100_000)];
  const manifestOf = (n: string): Buffer =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: config.digest,
          size: config.size,
        },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
            digest: layer.digest,
            size: layer.size,
          },
        ],
        annotations: { n },
      }),
    );
  const begin = async (contestant: Contestant): Promise<void> => {
    await contestant.push(config);
    await contestant.push(layer);
    await contestant.putManifest('latest', manifestOf('latest'));
  };
  const begun = new Set<Contestant>();
  const many = async (count: number, one: (n: number) => Promise<void>): Promise<number> => {
    const rest = Array.from({ length: count }, (_, n) => n).values();
    const began = performance.now();
    const worker = async (): Promise<void> => {
      for (const n of rest) await one(n);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    return count / ((performance.now() - began) / 1000);
  };
  let pushes = 0;
  const put = await take(contestants, rounds, 'manifest PUT x8', 'requests/s', async (contestant) => {
    if (!begun.has(contestant)) await begin(contestant);
    begun.add(contestant);
    pushes += 1;
    const round = pushes;
    return many(100, (n) =>
      contestant.putManifest(`tag-${n}`, manifestOf(`${contestant.name} ${round} ${n}`)),
    );
  });
  const get = await take(contestants, rounds, 'manifest GET x8', 'requests/s', (contestant) =>
    many(400, () => contestant.getManifest('latest')),
  );
  return [put, get];
}
