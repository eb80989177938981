import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import specification from '../../shared/compose/compose-spec.json' with { type: 'json' };
import { ServiceSpec } from '../../shared/model/application.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** What is to be deployed: a berth.yaml, or a compose project of one or several files. */
export interface Taken {
  readonly kind: 'berth' | 'compose';
  readonly files: readonly string[];
  /** Nobody named it. */
  readonly isFound: boolean;
}

/** In the order in which they are looked for; a compose file's override is taken with it, as docker compose does. */
const FOUND = [
  ['berth.yaml'],
  ['berth.yml'],
  ['compose.yaml', 'compose.override.yaml', 'compose.override.yml'],
  ['compose.yml', 'compose.override.yml', 'compose.override.yaml'],
  ['docker-compose.yaml', 'docker-compose.override.yaml', 'docker-compose.override.yml'],
  ['docker-compose.yml', 'docker-compose.override.yml', 'docker-compose.override.yaml'],
] as const;

/** @throws Failure `file-missing`, `files-of-two-kinds` */
export function takeFiles(named: readonly string[]): Taken {
  if (named.length > 0) return { kind: kindOfAll(named), files: named, isFound: false };
  for (const [file, ...overrides] of FOUND) {
    if (!existsSync(file)) continue;
    const override = overrides.find(existsSync);
    const files = override === undefined ? [file] : [file, override];
    return { kind: file.startsWith('berth') ? 'berth' : 'compose', files, isFound: true };
  }
  throw new Failure({
    code: 'file-missing',
    message: `There is no ${FOUND.map(([file]) => file).join(', ')} here.`,
    remedy: 'Name a file: berth deploy FILE; or begin one: berth init',
    exitCode: exitCodes.usage,
  });
}

function kindOfAll(files: readonly string[]): Taken['kind'] {
  const [first = '-', ...more] = files;
  if (more.length === 0) return first === '-' ? 'berth' : kindOf(first);
  if (files.every((file) => file !== '-' && kindOf(file) === 'compose')) return 'compose';
  throw new Failure({
    code: 'files-of-two-kinds',
    message: `Several files are put together if they are compose files: ${files.filter((file) => file === '-' || kindOf(file) === 'berth').join(', ')} is none.`,
    remedy: 'Name one berth.yaml, or compose files alone.',
    exitCode: exitCodes.usage,
  });
}

/** By its name, and where that says nothing by the keys of its services. */
function kindOf(file: string): Taken['kind'] {
  const name = file.split('/').at(-1) ?? file;
  if (/berth/i.test(name)) return 'berth';
  if (/compose|stack\.ya?ml$/i.test(name)) return 'compose';
  return contentKind(file);
}

function contentKind(file: string): Taken['kind'] {
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8'), { logLevel: 'silent', merge: true });
  } catch {
    // Whoever reads it next says what is wrong.
    return 'berth';
  }
  const top = keysOf(document);
  if (top.some((key) => ['jobs', 'pools'].includes(key))) return 'berth';
  if (top.some((key) => ['networks', 'include', 'version', 'models'].includes(key) || key.startsWith('x-')))
    return 'compose';
  const services = Object.values((document as { services?: object } | null)?.services ?? {});
  const keys = new Set(services.flatMap(keysOf));
  const compose = new Set(Object.keys(specification.definitions.service.properties));
  const berth = new Set(Object.keys(ServiceSpec.shape));
  const only = (own: ReadonlySet<string>, other: ReadonlySet<string>) =>
    [...keys].filter((key) => own.has(key) && !other.has(key)).length;
  return only(compose, berth) > only(berth, compose) ? 'compose' : 'berth';
}

const keysOf = (value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
