import type { Progress } from '../cloud.ts';
import type { MachineImages, TaggedImage } from './machine-images.ts';

/** Images that are only remembered; what takes long is done at its first poll, which nobody needs to make. */
export interface MemoryMachineImages extends MachineImages {
  /** The next capture is refused. */
  failNext(code: string, message: string): void;
}

/** @param power of a machine: undefined if there is none */
export function memoryMachineImages(options: {
  readonly now?: () => Date;
  readonly power: (vm: string) => 'running' | 'stopped' | undefined;
}): MemoryMachineImages {
  const now = options.now ?? (() => new Date());
  const images = new Map<string, TaggedImage>();
  const deallocated = new Set<string>();
  const generalized = new Set<string>();
  const failures: { code: string; message: string }[] = [];
  const refused = (code: string, message: string): Progress => ({ status: 'refused', code, message });
  const going = (kind: 'power' | 'image' | 'delete-image', name: string): Progress => ({
    status: 'going',
    operation: { kind, name, state: '{}' },
    afterMs: 1,
  });
  const idOf = (name: string): string => `/memory/images/${name}`;
  return {
    idOf,
    failNext: (code, message) => void failures.push({ code, message }),
    async deallocate(vm) {
      if (options.power(vm) === undefined) return refused('ResourceNotFound', `There is no VM ${vm}.`);
      deallocated.add(vm);
      return going('power', vm);
    },
    async generalize(vm) {
      if (options.power(vm) === undefined) return refused('ResourceNotFound', `There is no VM ${vm}.`);
      if (options.power(vm) === 'running' && !deallocated.has(vm))
        return refused('OperationNotAllowed', `${vm} must be powered off or deallocated.`);
      generalized.add(vm);
      return { status: 'done' };
    },
    async capture({ name, vm, profile }) {
      const failure = failures.shift();
      if (failure !== undefined) return { status: 'refused', ...failure };
      if (!generalized.has(vm)) return refused('OperationNotAllowed', `${vm} is not generalized.`);
      images.set(name, { name, id: idOf(name), profile, createdAt: now().toISOString() });
      return going('image', name);
    },
    async remove(name) {
      return images.delete(name) ? going('delete-image', name) : { status: 'done' };
    },
    tagged: async () => [...images.values()],
  };
}
