import { z } from 'zod';
import { RepositoryName, Tag } from '../model/image.ts';
import { signature } from '../model/signature.ts';

/** A tag of a repository that is a copy of another registry's. */
export const RefreshCopy = z.object({ repository: RepositoryName, tag: Tag });
export type RefreshCopy = z.infer<typeof RefreshCopy>;

/** Asks upstream what the tag means, and moves ours. */
export const refreshCopy = signature('refresh-copy', {
  input: RefreshCopy,
  output: z.custom<{ readonly outcome: 'unchanged' | 'moved' | 'no-copy' }>(),
});

/** The orchestration that does it until upstream answers. */
export const refreshPushed = signature('refresh-pushed', {
  input: RefreshCopy,
  output: z.custom<{
    readonly state: 'unchanged' | 'moved' | 'no-copy' | 'refused';
    readonly reason?: string;
  }>(),
});
