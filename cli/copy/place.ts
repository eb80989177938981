import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** One end of a copy: a path here, or in a container of a service. */
export type Place =
  | { readonly at: 'here'; readonly path: string }
  | { readonly at: 'service'; readonly service: string; readonly path: string };

/** Pure: `SERVICE:/path` is in a container; with a slash before the colon only where that is of a service's name. */
export function placeOf(text: string): Place {
  const [, service, path] = /^([a-z][a-z0-9-]*(?:\/[a-z0-9.-]+){0,2}):(\/[\s\S]*)$/.exec(text) ?? [];
  return service === undefined || path === undefined
    ? { at: 'here', path: text }
    : { at: 'service', service, path };
}

/** @throws Failure `copy-ends` */
export function endsOf(
  from: string,
  to: string,
):
  | { readonly way: 'out'; readonly from: Extract<Place, { at: 'service' }>; readonly to: string }
  | { readonly way: 'in'; readonly from: string; readonly to: Extract<Place, { at: 'service' }> } {
  const [first, second] = [placeOf(from), placeOf(to)];
  if (first.at === 'service' && second.at === 'here') return { way: 'out', from: first, to: second.path };
  if (first.at === 'here' && second.at === 'service') return { way: 'in', from: first.path, to: second };
  throw new Failure({
    code: 'copy-ends',
    message: `Of ${from} and ${to} ${first.at === 'here' ? 'neither is' : 'both are'} in a container.`,
    remedy: 'Expected one as SERVICE:/path, with an absolute path, and one path here.',
    exitCode: exitCodes.usage,
  });
}
