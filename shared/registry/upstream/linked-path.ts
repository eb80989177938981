import { upstreamWrong } from './faults.ts';

/**
 * Path and query of the next page, from a Link header (RFC 8288): `</v2/…?last=x>; rel="next"`, or a whole URL, of which
 * only the path counts: the next page is where this one was.
 */
export function linkedPath(
  header: string | string[] | undefined,
  current: string,
  where: string,
): string | undefined {
  const text = [header].flat().join(',');
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(text)?.[1];
  if (target === undefined) return undefined;
  const base = new URL(current, 'http://registry');
  if (!URL.canParse(target, base.href)) throw upstreamWrong(where, `its next page is "${target}"`);
  const { pathname, search } = new URL(target, base);
  return `${pathname}${search}`;
}
