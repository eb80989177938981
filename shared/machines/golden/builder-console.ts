/** What a machine that becomes an image says on its console, after `berth: `. */
export const CLEAN = 'this machine is clean and becomes an image';
export const UNFIT = 'this machine cannot become an image';

/** How far a machine is that becomes an image. */
export type BuilderWord =
  | { readonly word: 'clean' }
  | { readonly word: 'unfit'; readonly reason: string }
  | { readonly word: 'nothing' };

/** Reads its word out of its console log, where other lines are beside it and may be cut into. */
export function builderWord(log: string | undefined): BuilderWord {
  const text = log ?? '';
  const unfit = new RegExp(`berth: ${UNFIT}: ([^\\r\\n]*)`).exec(text);
  if (unfit !== null) return { word: 'unfit', reason: (unfit[1] ?? '').slice(0, 500) };
  return { word: text.includes(`berth: ${CLEAN}`) ? 'clean' : 'nothing' };
}
