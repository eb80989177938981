import type { OperatingSystem } from '../../model/machine-run.ts';
import type { CommandView, ManagedCommand, RunCommands } from './run-commands.ts';

/** Run commands that are only remembered: a test says how they go on. */
export interface MemoryRunCommands extends RunCommands {
  addVm(name: string, os?: OperatingSystem): void;
  removeVm(name: string): void;
  /** Changes how one looks. */
  change(vm: string, name: string, view: Partial<CommandView>): void;
  asked(vm: string, name: string): ManagedCommand | undefined;
  names(vm: string): readonly string[];
}

/** Azure's own limit. */
const MOST = 25;

export function memoryRunCommands(): MemoryRunCommands {
  const vms = new Map<
    string,
    { os: OperatingSystem; commands: Map<string, { command: ManagedCommand; view: CommandView }> }
  >();
  return {
    addVm: (name, os = 'linux') => void vms.set(name, { os, commands: new Map() }),
    removeVm: (name) => void vms.delete(name),
    change(vm, name, view) {
      const one = vms.get(vm)?.commands.get(name);
      if (one !== undefined) one.view = { ...one.view, ...view };
    },
    asked: (vm, name) => vms.get(vm)?.commands.get(name)?.command,
    names: (vm) => [...(vms.get(vm)?.commands.keys() ?? [])],
    osOf: async (vm) => vms.get(vm)?.os,
    async begin(vm, name, command) {
      const machine = vms.get(vm);
      if (machine === undefined)
        return { status: 'refused', code: 'ResourceNotFound', message: `There is no VM ${vm}.` };
      if (machine.commands.size >= MOST && !machine.commands.has(name))
        return {
          status: 'refused',
          code: 'OperationNotAllowed',
          message: `The maximum number of managed Run commands (max=${MOST}, current=${MOST}) has been exceeded.`,
        };
      const view: CommandView = {
        provisioning: 'Succeeded',
        state: 'Running',
        exitCode: undefined,
        message: '',
        output: '',
        error: '',
      };
      machine.commands.set(name, { command, view });
      return { status: 'begun' };
    },
    look: async (vm, name) => vms.get(vm)?.commands.get(name)?.view,
    remove: async (vm, name) => void vms.get(vm)?.commands.delete(name),
  };
}
