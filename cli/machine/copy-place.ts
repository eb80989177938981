import type { SshTarget } from './secure-shell.ts';

/** One end of a copy: a path here, or on a machine. */
export interface CopyPlace {
  readonly machine: string | undefined;
  readonly path: string;
}

/** Pure: `NAME:path` is on a machine; with a slash before the colon, or a drive's letter, it is here. As scp(1) tells them apart. */
export function copyPlace(text: string): CopyPlace {
  const [, machine, path] = /^([a-z][a-z0-9-]*):([\s\S]*)$/.exec(text) ?? [];
  return machine === undefined || (machine.length === 1 && path?.startsWith('\\') === true)
    ? { machine: undefined, path: text }
    : { machine, path: path ?? '' };
}

/** Pure: as scp takes it. */
export function scpWord({ machine, path }: CopyPlace, targets: ReadonlyMap<string, SshTarget>): string {
  const target = machine === undefined ? undefined : targets.get(machine);
  // A path that begins with a hyphen comes after --; one with a colon must not look like a host.
  if (target === undefined)
    return path.includes(':') && !/^[./]/.test(path) && !/^[A-Za-z]:\\/.test(path) ? `./${path}` : path;
  const host = target.address.includes(':') ? `[${target.address}]` : target.address;
  return `${target.user}@${host}:${path}`;
}
