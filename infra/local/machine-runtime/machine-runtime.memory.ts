import type {
  InboundRule,
  MachineProgram,
  MachineRequest,
  MachineRuntime,
  ProgramEnd,
} from './machine-runtime.ts';

/** Machines that are only remembered: for tests of what asks for machines. */
export interface MemoryMachineRuntime extends MachineRuntime {
  readonly machines: ReadonlyMap<string, MemoryMachine>;
  readonly images: ReadonlySet<string>;
}

export interface MemoryMachine {
  readonly request: MachineRequest;
  readonly running: boolean;
  readonly rules: readonly InboundRule[];
  readonly console: string;
}

/** @param programs runs what is run in a machine; without it machines have no programs */
export function memoryMachineRuntime(
  programs?: (name: string, program: MachineProgram) => Promise<ProgramEnd>,
): MemoryMachineRuntime {
  const machines = new Map<string, MemoryMachine>();
  const images = new Set<string>();
  const change = (name: string, changes: Partial<MemoryMachine>): void => {
    const machine = machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    machines.set(name, { ...machine, ...changes });
  };
  return {
    machines,
    images,
    async create(request) {
      if (machines.has(request.name)) return;
      if (request.image.kind === 'captured' && !images.has(request.image.imageId))
        throw new Error(`there is no image ${request.image.imageId}`);
      const booted = `${request.name} login: booted at ${request.address}\n`;
      machines.set(request.name, { request, running: true, rules: request.inboundRules, console: booted });
    },
    start: async (name) => change(name, { running: true }),
    stop: async (name) => change(name, { running: false }),
    restart: async (name) => change(name, { running: true }),
    remove: async (name) => void machines.delete(name),
    async state(name) {
      const machine = machines.get(name);
      if (machine === undefined) return 'absent';
      return machine.running ? 'running' : 'stopped';
    },
    list: async () => [...machines.keys()],
    console: async (name) => machines.get(name)?.console ?? '',
    async capture(name, imageId) {
      if (machines.get(name)?.running !== false) throw new Error(`machine ${name} is not stopped`);
      images.add(imageId);
    },
    removeImage: async (imageId) => void images.delete(imageId),
    async run(name, program) {
      if (machines.get(name)?.running !== true) throw new Error(`machine ${name} does not run`);
      return programs === undefined
        ? { exitCode: 127, stdout: '', stderr: `${program.command[0]}: not found\n` }
        : programs(name, program);
    },
    setInboundRules: async (name, rules) => change(name, { rules }),
  };
}
