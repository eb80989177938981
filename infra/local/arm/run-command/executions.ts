import { setTimeout as wait } from 'node:timers/promises';
import type { Arm } from '../arm.ts';
import type { Steps } from '../operations/operation.ts';
import { ArmError, preemption } from '../requests/arm-error.ts';
import { nameOf, type Resource } from '../resources/resource.ts';
import { type Guest, guestOf, isOver, type ScriptRequest, type ScriptState } from './guest.ts';
import { type Child, type Children, children } from './records.ts';

const FIRST_MS = 150;
const LONGEST_MS = 2_000;

/** What the routes of scripts share: the records, the machines' agents, and how an execution is followed. */
export interface Executions {
  readonly children: Children;
  /** @throws ArmError 409 where the VM does not run */
  requireRunning(vm: Resource): Promise<void>;
  begin(machine: string, folder: string, request: ScriptRequest): Promise<void>;
  /** Ends what an earlier request of the same resource began. */
  end(child: Child): Promise<void>;
  /** Records the end of an execution that no operation waits for: who asks later may find its machine off. */
  watch(child: Child): void;
  /** How it stands; asked of the machine, until an end was recorded. */
  look(child: Child): Promise<ScriptState>;
  /** Waits for the end of an execution. @throws preemption if `isWanted` says no */
  follow(machine: string, folder: string, isWanted: () => boolean): Promise<ScriptState>;
  /** The operation that ends an execution and removes its record. */
  readonly removal: Steps;
}

export function executions(arm: Arm): Executions {
  const guest: Guest = guestOf(arm.runtime);
  const records = children(arm);

  const ask = async (machine: string, folder: string): Promise<ScriptState> => {
    if ((await arm.runtime.state(machine)) === 'running') return guest.state(machine, folder);
    const message = 'The virtual machine was stopped while the script ran.';
    const endTime = arm.now().toISOString();
    return { state: 'Failed', exitCode: -1, message, endTime, output: '', error: '' };
  };

  // What it asked for is known to nobody any more.
  for (const child of records.notBegun()) {
    const message = 'The endpoint was restarted before the script began.';
    records.put({
      ...child,
      begun: true,
      ended: { state: 'Failed', exitCode: -1, message, output: '', error: '' },
      properties: { ...child.properties, provisioningState: 'Failed' },
    });
  }

  const record = (child: Child, ended: ScriptState): void => {
    const now = records.byId(child.id);
    if (now?.folder === child.folder) records.put({ ...now, ended });
  };
  const follow: Executions['follow'] = async (machine, folder, isWanted) => {
    for (let pause = FIRST_MS; ; pause = Math.min(pause * 1.3, LONGEST_MS)) {
      if (!isWanted()) throw preemption();
      const found = await ask(machine, folder);
      if (isOver(found)) return found;
      await wait(pause, undefined, { ref: false });
    }
  };
  const watch = (child: Child): void => {
    const isWanted = () => records.byId(child.id)?.folder === child.folder;
    follow(nameOf(child.vm), child.folder, isWanted)
      .then((ended) => record(child, ended))
      // It is gone, or this endpoint closes: the next one watches again.
      .catch(() => {});
  };
  for (const child of records.going()) watch(child);

  return {
    children: records,
    follow,
    watch,
    end: (child) => guest.remove(nameOf(child.vm), child.folder),
    async requireRunning(vm) {
      const isMade = vm.properties.provisioningState === 'Succeeded';
      if (isMade && (await arm.runtime.state(vm.name)) === 'running') return;
      throw new ArmError(
        409,
        'OperationNotAllowed',
        'Cannot modify extensions in the VM when the VM is not running.',
      );
    },
    begin: (machine, folder, request) => guest.start(machine, folder, request),
    async look(child) {
      if (child.ended !== undefined) return child.ended;
      if (!child.begun) return { state: 'Pending', exitCode: 0, message: '', output: '', error: '' };
      const found = await ask(nameOf(child.vm), child.folder);
      if (isOver(found)) record(child, found);
      return found;
    },
    removal: {
      async run(operation) {
        const child = records.byId(operation.resource);
        if (child === undefined) return;
        await guest.remove(nameOf(child.vm), child.folder);
        records.remove(child.id);
      },
    },
  };
}

/** The message of a handler's status. https://github.com/Azure/custom-script-extension-linux */
export const enableMessage = ({ state, message, output, error }: ScriptState): string =>
  `Enable ${state === 'Succeeded' ? 'succeeded: ' : `failed: failed to execute command: ${message}`}\n[stdout]\n${output}\n[stderr]\n${error}`;
