import { Terminal } from '../../model/errors.ts';
import { BlobConflict, type Blobs } from '../../state/blobs.ts';
import { MarkFilter } from './mark-filter.ts';

/** Filters of a run: what manifests name, and which data pointers and uploads name. */
export type MarkKind = 'named' | 'data';

const nameOf = (run: string, kind: MarkKind): string => `gc/${run}/${kind}`;

/**
 * Adds names to a filter of the run. If-Match: a repetition of the same page that comes late never takes away what later
 * pages added.
 */
export async function addMarks(
  blobs: Blobs,
  run: string,
  kind: MarkKind,
  names: readonly string[],
): Promise<void> {
  for (;;) {
    const found = await blobs.read(nameOf(run, kind));
    const filter = new MarkFilter(run, found?.bytes);
    for (const name of names) filter.add(name);
    try {
      await blobs.put(
        nameOf(run, kind),
        filter.bytes,
        found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.info.etag },
      );
      return;
    } catch (error) {
      if (!(error instanceof BlobConflict)) throw error;
    }
  }
}

/** Nothing may be swept by a filter that is not there: everything would seem to be garbage. @throws Terminal `marks-missing` */
export async function readMarks(blobs: Blobs, run: string, kind: MarkKind): Promise<MarkFilter> {
  const found = await blobs.read(nameOf(run, kind));
  if (found === undefined)
    throw new Terminal({
      code: 'marks-missing',
      message: `The run ${run} has no marks of what is in use (${kind}), so nothing is deleted by it.`,
      remedy: 'Start another: berth registry gc',
    });
  return new MarkFilter(run, found.bytes);
}

/** Also those of runs that ended early, two days after. */
export async function forgetMarks(blobs: Blobs, run: string, startedAt: Date): Promise<void> {
  const old = startedAt.getTime() - 2 * 24 * 3600 * 1000;
  for await (const { name, modifiedAt } of blobs.list('gc/'))
    if (name.startsWith(`gc/${run}/`) || modifiedAt.getTime() < old) await blobs.delete(name);
}

/** Names of what may be marked, each kind in a space of its own. */
export const markOf = {
  blob: (digest: string): string => `b ${digest}`,
  manifest: (digest: string): string => `m ${digest}`,
  link: (repository: string, digest: string): string => `l ${repository} ${digest}`,
  data: (id: string): string => `d ${id}`,
};
