import type { z } from 'zod';
import { ApplicationSpec } from '../../model/application.ts';
import { Invalid, type Issue } from '../../model/invalid.ts';
import { nearest } from '../../model/nearest.ts';
import { keysAt } from '../../model/schema-keys.ts';
import { byPlace, composeInvalid, issueText } from '../faults.ts';
import type { Path, Place } from '../tree.ts';
import type { Build } from './build.ts';
import { fieldAt, leftOut } from './left-out.ts';
import type { NamedImage } from './map-service.ts';
import type { Outcome } from './outcome.ts';
import type { SecretSource } from './resources-of-project.ts';
import type { Fields } from './rule.ts';

export interface MappedProject {
  /** As a berth.yaml has it. Images are still those of the compose file; those that are built have none yet. */
  readonly application: Fields & {
    readonly name: string;
    readonly services: Readonly<Record<string, Fields>>;
  };
  readonly images: readonly NamedImage[];
  readonly builds: readonly Build[];
  readonly secretSources: readonly SecretSource[];
  /** What was left out without loss, and what was left out on purpose. */
  readonly notes: readonly Issue[];
  /** Where a field of the application comes from. @param path `services.web.secrets.0` */
  placeOf(path: string): Place | undefined;
}

/**
 * The end of a mapping: what the fields must be is checked, and nothing may have been refused.
 * @throws Invalid `compose-not-honoured`: every key that Berth cannot honour, with its place
 */
export function concluded(mapped: Omit<MappedProject, 'notes' | 'placeOf'>, outcome: Outcome): MappedProject {
  const application = checked(mapped.application, outcome);
  for (const name of outcome.unused)
    outcome.notes.push({ path: '', message: `--ignore ${name}: nothing is refused for it.` });
  if (outcome.refusals.length > 0) throw notHonoured(outcome.refusals);
  const placeOf = (path: string) => outcome.originOf(path.split('.').map(stepOf))?.place;
  return { ...mapped, application, notes: [...outcome.notes].sort(byPlace), placeOf };
}

const stepOf = (step: string): string | number => (/^\d+$/.test(step) ? Number(step) : step);

/** So often a field that is left out may show another one. */
const MOST_ROUNDS = 10;

/** What the fields must be, told of the keys that they come from. @returns the application without what is left out on purpose */
function checked(application: MappedProject['application'], outcome: Outcome): MappedProject['application'] {
  let result = application;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const ignored = faultsIn(result, outcome);
    if (ignored.length === 0) return result;
    result = leftOut(result, ignored);
  }
  return result;
}

/** Images are looked at where they are found. @returns what is wrong but left out on purpose */
function faultsIn(application: MappedProject['application'], outcome: Outcome): readonly Path[] {
  const ignored = new Map<string, Path>();
  const services = Object.fromEntries(
    Object.entries(application.services).map(([name, fields]) => [
      name,
      {
        ...fields,
        image: 'image',
        ...('before' in fields ? { before: { ...(fields['before'] as object), image: 'image' } } : {}),
      },
    ]),
  );
  const parsed = ApplicationSpec.safeParse({ ...application, services });
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const faults =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ at: [...path, key], reason: unknownKey(key, issue.path) }))
        : [{ at: path, reason: reasonOf(issue) }];
    for (const { at, reason } of faults) {
      const origin = outcome.originOf(at);
      if (origin === undefined) {
        if (outcome.refusals.length === 0) outcome.refusals.push({ path: at.join('.'), message: reason });
      } else if (outcome.refuseAt(origin.place, origin.path, reason))
        ignored.set(fieldAt(at).join('.'), fieldAt(at));
    }
  }
  return [...ignored.values()];
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = keysAt(ApplicationSpec, path);
  const guess = nearest(key, known, 1).map((name) => ` Did you mean "${name}"?`);
  return `a berth.yaml has no such key.${guess.join('')}`;
}

/** Of a name that cannot be used, what its rule says. */
function reasonOf(issue: z.core.$ZodIssue): string {
  const said = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return `${said.replace(/^Invalid input: /, '')}.`.replace(/\.\.$/, '.');
}

function notHonoured(refusals: readonly Issue[]): Invalid {
  const { issues } = composeInvalid(refusals);
  return new Invalid({
    code: 'compose-not-honoured',
    message: issues.map(issueText).join('\n'),
    remedy:
      'Nothing was changed. Mend these keys, or go on without one on purpose: --ignore KEY, for example --ignore stdin_open. docs/compose.md lists every key.',
    issues,
  });
}

/** Compose allows digits in front and underscores. */
export const applicationName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '') || 'app';
