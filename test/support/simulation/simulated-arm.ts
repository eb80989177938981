import type {
  Cloud,
  Operation,
  Progress,
  ResourceKind,
  TaggedResource,
} from '../../../shared/machines/cloud.ts';
import { Retryable } from '../../../shared/model/errors.ts';
import type { Draws, VirtualTime } from './virtual-time.ts';

/** What goes wrong with one call. */
export type ArmFault =
  | { readonly when: 'before' | 'reply-lost' }
  /** The answer is an error, but what was asked for is done later. */
  | { readonly when: 'late'; readonly afterMs: number }
  | { readonly when: 'at-once' | 'in-operation'; readonly code: string; readonly message: string }
  | { readonly when: 'slow'; readonly milliseconds: number };

/** Which call: creation and deletion of each kind, polls, and reads. */
export type ArmCall =
  | `create ${'network' | 'nic' | 'vm'}`
  | `delete ${ResourceKind}`
  | 'poll'
  | 'read'
  | 'list';

interface Held {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly machine: string;
  readonly createdAt: number;
  state: 'creating' | 'succeeded' | 'failed' | 'deleting';
  failure?: { readonly code: string; readonly message: string };
  /** Of VMs. */
  nic?: string;
  disk?: string;
  operation?: string;
}

const NIC_RESERVED_MS = 180_000;

/**
 * ARM as it is to its callers: operations go on whether or not they are polled, a VM that failed stays with its NIC and
 * disk, a NIC is reserved for three minutes after it, lists lag behind.
 */
export function simulatedArm(
  time: VirtualTime,
  random: Draws,
  options: {
    fault(call: ArmCall, name: string): ArmFault | undefined;
    /** A VM came up. */
    booted(machine: string, vm: string): void;
    /** Called whenever what there is has changed. */
    changed(held: ReadonlyMap<string, Held>): void;
    /** Most milliseconds that lists lag behind. */
    readonly lagMs: number;
  },
) {
  const held = new Map<string, Held>();
  const reserved = new Map<string, { readonly vm: string; readonly until: number }>();
  const operations = new Map<string, { done: boolean; failure?: { code: string; message: string } }>();
  /** Deleted ones that lists still show. */
  const ghosts: { readonly resource: Held; readonly until: number }[] = [];
  let network = false;
  let count = 0;

  const key = (kind: ResourceKind, name: string) => `${kind}/${name}`;
  const now = () => time.now().getTime();
  const refused = (code: string, message: string): Progress<never> => ({ status: 'refused', code, message });
  const unavailable = () =>
    new Retryable({
      code: 'arm-unavailable',
      message: 'the connection was cut',
      remedy: 'It is tried again.',
    });
  const put = (resource: Held) => {
    held.set(key(resource.kind, resource.name), resource);
    options.changed(held);
  };
  const drop = (kind: ResourceKind, name: string) => {
    const resource = held.get(key(kind, name));
    if (resource === undefined) return;
    held.delete(key(kind, name));
    ghosts.push({ resource, until: now() + random.between(0, options.lagMs) });
    options.changed(held);
  };

  /** Begins what takes its time, whoever polls. */
  function begin(
    kind: Operation['kind'],
    name: string,
    milliseconds: number,
    end: () => { code: string; message: string } | undefined,
  ): Progress<never> {
    count += 1;
    const state = String(count);
    operations.set(state, { done: false });
    void time.sleep(milliseconds).then(() => {
      const failure = end();
      operations.set(state, { done: true, ...(failure && { failure }) });
    });
    return { status: 'going', operation: { kind, name, state }, afterMs: random.between(200, 5_000) };
  }

  /** A call with what goes wrong with it: `act` is told how the operation ends. */
  async function call<T>(
    name: ArmCall,
    resource: string,
    act: (how: { fails: { code: string; message: string } | undefined; extraMs: number }) => T,
  ): Promise<T> {
    const fault = options.fault(name, resource);
    await time.sleep(random.between(5, 400));
    if (fault?.when === 'before') throw unavailable();
    if (fault?.when === 'at-once') return refused(fault.code, fault.message) as T;
    if (fault?.when === 'late') {
      void time.sleep(fault.afterMs).then(() => act({ fails: undefined, extraMs: 0 }));
      throw unavailable();
    }
    const fails = fault?.when === 'in-operation' ? { code: fault.code, message: fault.message } : undefined;
    const result = act({ fails, extraMs: fault?.when === 'slow' ? fault.milliseconds : 0 });
    await time.sleep(random.between(5, 400));
    if (fault?.when === 'reply-lost') throw unavailable();
    return result;
  }

  const userOf = (kind: 'nic' | 'disk', name: string): Held | undefined =>
    [...held.values()].find((vm) => vm.kind === 'vm' && vm[kind] === name);

  function createVm(
    request: Parameters<Cloud['createVirtualMachine']>[0],
    how: { fails: { code: string; message: string } | undefined; extraMs: number },
  ): Progress {
    const { name, nic, disk } = request;
    const existing = held.get(key('vm', name));
    if (existing?.state === 'succeeded') return { status: 'done' };
    if (existing?.state === 'failed' && existing.failure)
      return refused(existing.failure.code, existing.failure.message);
    if (existing?.state === 'deleting') return refused('Conflict', `VM ${name} is being deleted.`);
    if (existing?.operation !== undefined)
      return { status: 'going', operation: { kind: 'vm', name, state: existing.operation }, afterMs: 2_000 };
    if (!held.has(key('nic', nic))) return refused('InvalidResourceReference', `There is no NIC ${nic}.`);
    const user = userOf('nic', nic);
    if (user !== undefined) return refused('NicInUse', `NIC ${nic} is used by ${user.name}.`);
    const reservation = reserved.get(nic);
    if (reservation !== undefined && reservation.vm !== name && reservation.until > now())
      return refused('NicReservedForAnotherVm', `NIC ${nic} is reserved for ${reservation.vm}.`);
    const machine = request.tags['berth-machine'] ?? name;
    put({ kind: 'disk', name: disk, machine, createdAt: now(), state: 'succeeded' });
    const vm: Held = { kind: 'vm', name, machine, createdAt: now(), state: 'creating', nic, disk };
    put(vm);
    const going = begin('vm', name, random.between(3_000, 60_000) + how.extraMs, () => {
      if (held.get(key('vm', name)) !== vm || vm.state === 'deleting')
        return { code: 'OperationPreempted', message: `VM ${name} was deleted while it was made.` };
      if (how.fails === undefined) {
        vm.state = 'succeeded';
        options.booted(machine, name);
        return undefined;
      }
      vm.state = 'failed';
      vm.failure = how.fails;
      reserved.set(nic, { vm: name, until: now() + NIC_RESERVED_MS });
      return how.fails;
    });
    if (going.status === 'going') vm.operation = going.operation.state;
    return going;
  }

  function remove(
    kind: ResourceKind,
    name: string,
    how: { fails: { code: string; message: string } | undefined; extraMs: number },
  ): Progress {
    const resource = held.get(key(kind, name));
    if (resource === undefined) return { status: 'done' };
    if (kind === 'nic' || kind === 'disk') {
      const user = userOf(kind, name);
      if (user !== undefined)
        return kind === 'nic'
          ? refused('NicInUse', `NIC ${name} is used by ${user.name}.`)
          : refused('OperationNotAllowed', `Disk ${name} is attached to VM ${user.name}.`);
    }
    const reservation = kind === 'nic' ? reserved.get(name) : undefined;
    if (reservation !== undefined && reservation.until > now())
      return refused('NicReservedForAnotherVm', `NIC ${name} is reserved for ${reservation.vm}.`);
    if (kind !== 'vm') {
      const isInUse = [...held.values()].some(
        (other) =>
          other.kind === 'nic' &&
          other.machine === resource.machine &&
          ['public-ip', 'security-group'].includes(kind),
      );
      if (isInUse && kind === 'public-ip')
        return refused('PublicIPAddressCannotBeDeleted', `Public IP ${name} is still allocated to a NIC.`);
      if (isInUse && kind === 'security-group')
        return refused('InUseNetworkSecurityGroupCannotBeDeleted', `${name} is in use by a NIC.`);
    }
    const before = resource.state;
    if (how.fails === undefined) resource.state = 'deleting';
    return begin(
      `delete-${kind}`,
      name,
      random.between(500, kind === 'vm' ? 40_000 : 4_000) + how.extraMs,
      () => {
        if (how.fails !== undefined) {
          resource.state = before === 'creating' ? 'failed' : before;
          return how.fails;
        }
        drop(kind, name);
        // deleteOption: Delete. That it is done a little later, or not at all, happens.
        if (kind === 'vm' && resource.nic !== undefined && random.happens(0.7)) drop('nic', resource.nic);
        if (kind === 'vm' && resource.disk !== undefined && random.happens(0.7)) drop('disk', resource.disk);
        return undefined;
      },
    );
  }

  const cloud: Cloud = {
    ensureNetwork: () =>
      call('create network', 'network', ({ fails, extraMs }): Progress => {
        if (network) return { status: 'done' };
        return begin('network', 'network', random.between(500, 5_000) + extraMs, () => {
          network ||= fails === undefined;
          return fails;
        });
      }),
    createNic: ({ name, machine }) =>
      call('create nic', name, ({ fails, extraMs }): Progress<{ readonly address: string }> => {
        const existing = held.get(key('nic', name));
        if (existing !== undefined && existing.state !== 'failed')
          return { status: 'done', result: { address: '10.20.0.4' } };
        if (!network) return refused('InvalidResourceReference', 'There is no network.');
        const nic: Held = { kind: 'nic', name, machine, createdAt: now(), state: 'creating' };
        put(nic);
        return begin('nic', name, random.between(300, 3_000) + extraMs, () => {
          nic.state = fails === undefined ? 'succeeded' : 'failed';
          return fails;
        });
      }),
    createVirtualMachine: (request) => call('create vm', request.name, (how) => createVm(request, how)),
    poll: (operation) =>
      call('poll', operation.name, (): Progress => {
        const known = operations.get(operation.state);
        if (known === undefined) return refused('NotFound', `There is no operation ${operation.state}.`);
        if (!known.done) return { status: 'going', operation, afterMs: random.between(200, 5_000) };
        return known.failure === undefined ? { status: 'done' } : { status: 'refused', ...known.failure };
      }),
    nicAddress: (name) =>
      call('read', name, () => {
        const nic = held.get(key('nic', name));
        return nic === undefined || nic.state === 'failed' ? undefined : '10.20.0.4';
      }),
    deleteResource: (kind, name) => call(`delete ${kind}`, name, (how) => remove(kind, name, how)),
    virtualMachine: (name) =>
      call('read', name, () => {
        const vm = held.get(key('vm', name));
        return vm && { name, provisioningState: vm.state, power: 'running' };
      }),
    tagged: () =>
      call('list', '', () => {
        const shown = [...held.values()].filter(
          ({ createdAt }) => now() - createdAt > random.between(0, options.lagMs),
        );
        const gone = ghosts.filter(({ until }) => until > now()).map(({ resource }) => resource);
        return [...shown, ...gone].map(
          ({ kind, name, machine, createdAt }): TaggedResource => ({
            kind,
            name,
            machine,
            createdAt: new Date(createdAt).toISOString(),
          }),
        );
      }),
    size: async () => ({ cores: 2, memory: 4096 }),
    consoleLog: (name) =>
      call('read', name, () => (held.has(key('vm', name)) ? `${name} login:\n` : undefined)),
  };

  return {
    cloud,
    held,
    /** Puts what an interrupted run of something else left there. */
    leave: (kind: ResourceKind, name: string, machine: string) =>
      put({ kind, name, machine, createdAt: now(), state: 'succeeded' }),
  };
}
