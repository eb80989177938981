import { customScript } from '../../model/custom-script.ts';
import { Terminal } from '../../model/errors.ts';
import type { Machine } from '../../model/machine.ts';
import type { OperatingSystem } from '../../model/machine-run.ts';
import { nearest } from '../../model/nearest.ts';
import { customScriptRun } from './custom-script-run.ts';
import { type Rendered, render, runInvalid, type ScriptOrder } from './script.ts';

/** Which machines are meant. */
export interface Selection {
  readonly machines?: readonly string[] | undefined;
  readonly pool?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** States in which a VM runs. */
const RUNNING: ReadonlySet<Machine['status']['state']> = new Set(['booting', 'ready', 'silent']);
/** Runs that may be asked for together. */
const MOST = 200;

/**
 * The machines that are meant: those that are named, which must run, or the ready ones that a pool and labels select. Pure.
 * @throws Terminal 404 `machine-not-found`, `no-machine-selected`; 409 `machine-not-running`, `machines-too-many`
 */
export function machinesFor(selection: Selection, all: readonly Machine[]): readonly Machine[] {
  if (selection.machines !== undefined)
    return [...new Set(selection.machines)].map((name) => named(name, all));
  const wanted = Object.entries(selection.labels ?? {});
  const found = all.filter(
    ({ pool, labels, status }) =>
      status.state === 'ready' &&
      (selection.pool === undefined || pool === selection.pool) &&
      wanted.every(([key, value]) => labels[key] === value),
  );
  if (found.length === 0)
    throw new Terminal({
      code: 'no-machine-selected',
      status: 404,
      message: 'No machine that is ready has this pool and these labels.',
      remedy: 'List them: berth machine ls',
    });
  if (found.length > MOST)
    throw new Terminal({
      code: 'machines-too-many',
      status: 409,
      message: `${found.length} machines are selected; ${MOST} at once are the most.`,
      remedy: 'Select fewer by labels.',
    });
  return [...found].sort((a, b) => a.name.localeCompare(b.name));
}

function named(name: string, all: readonly Machine[]): Machine {
  const found = all.find((machine) => machine.name === name);
  if (found === undefined) {
    const [close] = nearest(
      name,
      all.map((machine) => machine.name),
    );
    throw new Terminal({
      code: 'machine-not-found',
      status: 404,
      message: `There is no machine ${name}.`,
      remedy: close === undefined ? 'List them: berth machine ls' : `Did you mean ${close}?`,
    });
  }
  if (RUNNING.has(found.status.state)) return found;
  throw new Terminal({
    code: 'machine-not-running',
    status: 409,
    message: `${name} is ${found.status.state}: nothing runs there.`,
    remedy:
      found.status.state === 'stopped'
        ? `Start it: berth machine start ${name}`
        : 'List them: berth machine ls',
  });
}

/** What somebody wants run. */
export interface RunOrder extends ScriptOrder {
  readonly name?: string | undefined;
  readonly customScript?: { readonly settings?: unknown; readonly protectedSettings?: unknown } | undefined;
}

export type Sign = Parameters<typeof customScriptRun>[2];

/** What Run Command is given. @throws Invalid `run-invalid` */
export function renderOrder(order: RunOrder, os: OperatingSystem, sign: Sign): Rendered {
  if (order.customScript === undefined) return render(order, os);
  const isMixed =
    order.command !== undefined ||
    order.script !== undefined ||
    order.user !== undefined ||
    Object.keys({ ...order.parameters, ...order.protectedParameters }).length > 0;
  if (isMixed)
    throw runInvalid([
      {
        path: 'customScript',
        message: 'expected by itself: its settings say all, also what would be a parameter',
      },
    ]);
  const { settings, protectedSettings } = order.customScript;
  const parsed = customScript(settings, protectedSettings, os);
  if ('faults' in parsed)
    throw runInvalid(parsed.faults.map(({ at, message }) => ({ path: `customScript.${at}`, message })));
  return customScriptRun(parsed.script, os, sign);
}

const SHOWN = 120;

/** What lists show of it: nothing that is protected. */
export function summary(order: RunOrder): string {
  const text =
    order.command?.join(' ') ?? (order.customScript === undefined ? scriptSummary(order) : 'CustomScript');
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}

const scriptSummary = ({ name, script = '' }: RunOrder): string =>
  `${name ?? 'script'} (${script.split('\n').length} lines)`;

/** Of the images that marketplace names, by their publisher; undefined where only the VM can tell. */
export const osOfImage = (image: string): OperatingSystem | undefined => {
  if (image.startsWith('/')) return undefined;
  return /^MicrosoftWindows/i.test(image) ? 'windows' : 'linux';
};
