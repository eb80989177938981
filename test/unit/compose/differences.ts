import { join } from 'node:path';
import { shellWords } from '../../../shared/compose/shell-words.ts';
import { bytesOf, secondsOf } from '../../../shared/compose/units.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents of any form
type Any = any;

/**
 * Where a service as we read it says something else than as compose-go does. Their forms differ: times, sizes and commands
 * are texts here, paths are relative, and what is left out is not written out.
 */
export function differences(ours: Any, theirs: Any, directory: string): readonly string[] {
  const found: string[] = [];
  const compare = (a: Any, b: Any, path: string): void => {
    if (isEmpty(a) && isEmpty(b)) return;
    if (isMap(a) && isMap(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        compare(a[key], b[key], `${path}.${key}`);
      return;
    }
    if (/^\.networks(\.default)?$|\.dockerfile$|^\.env_file/.test(path)) return;
    if (isSame(a, b)) return;
    found.push(`${path}: ours ${JSON.stringify(a)}, theirs ${JSON.stringify(b)}`);
  };
  const isSame = (a: Any, b: Any): boolean => {
    if (typeof a === 'string' && Array.isArray(b)) return JSON.stringify(shellWords(a)) === JSON.stringify(b);
    const [one, other] = [String(a), String(b)];
    if (one === other || join(directory, one) === other) return true;
    const [seconds, bytes] = [secondsOf(one), bytesOf(one)];
    return (
      (seconds !== undefined && seconds === secondsOf(other)) ||
      (bytes !== undefined && bytes === bytesOf(other))
    );
  };
  compare(written(ours, theirs), theirsWritten(theirs), '');
  return found;
}

const isMap = (value: Any): boolean => typeof value === 'object' && value !== null;
const isEmpty = (value: Any): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  (isMap(value) && Object.values(value).every(isEmpty));

/** Ours with the defaults that theirs has written out. */
function written(ours: Any, theirs: Any): Any {
  const { extra_hosts: hosts, secrets, depends_on: waits, volumes, ...rest } = ours;
  return {
    ...rest,
    volumes,
    depends_on:
      waits === undefined
        ? undefined
        : Object.fromEntries(Object.entries(waits).filter(([name]) => theirs.depends_on?.[name])),
    extra_hosts: Object.entries(hosts ?? {})
      .flatMap(([name, addresses]) => (addresses as string[]).map((address) => `${name}=${address}`))
      .sort(),
    secrets: (secrets ?? []).map((one: Any) => ({ target: `/run/secrets/${one.source}`, ...one })),
  };
}

function theirsWritten(theirs: Any): Any {
  const { extra_hosts: hosts = [], volumes = [], ...rest } = theirs;
  return {
    ...rest,
    extra_hosts: [...hosts].sort(),
    volumes: volumes.map(({ bind: _, ...one }: Any) => one),
  };
}
