import type { EngineOf } from '../docker/engine.ts';
import type { MachineStore } from '../machines/machine-store.ts';
import { Terminal } from '../model/errors.ts';
import type { Machine } from '../model/machine.ts';
import type { EnvironmentName } from '../model/names.ts';
import { type Replica, type ServiceKey, serviceId } from '../model/service.ts';
import { batched, shared } from '../state/batched.ts';
import type { Documents } from '../state/documents.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { all } from '../workloads/stores.ts';
import {
  bridgeOf,
  environmentSubnet,
  layoutOf,
  MOST_ENVIRONMENTS,
  MTU,
  machineSubnet,
  mostMachines,
  resolverOf,
  WIREGUARD,
} from './address-plan.ts';
import { closeEnvironments } from './close-environments.ts';
import {
  ENVIRONMENT_NUMBERS,
  ENVIRONMENTS,
  type EnvironmentRow,
  MACHINE_NUMBERS,
  namesDocument,
  networkRows,
  noPeers,
  PEERS,
  peersDocument,
} from './network-rows.ts';
import { merged, type Numbers, numberOfOwner, numbersOf, release, take } from './numbers.ts';
import { peersOf } from './peers.ts';
import type { NetworkAnswer, NetworkRequest } from './protocol.ts';
import type { Receivers } from './receiver.ts';
import { addressesOf, nameOf, networkName } from './service-names.ts';
import { telling } from './telling.ts';

/** The containers' network: machines join it, environments get networks in it, and names follow the replicas. */
export interface Networks {
  /** A machine joins, or asks what there is to know; undefined: there is no place left for it. */
  join(machine: Machine, request: NetworkRequest): Promise<NetworkAnswer | undefined>;
  /** Makes the environment's network on a machine and tells it the names; what is there stays. @throws Retryable, Terminal */
  open(
    environment: EnvironmentName,
    machine: Pick<Machine, 'name' | 'network'> & { readonly address: string },
  ): Promise<void>;
  /** The replicas of a service changed: every machine of its environment is told where its name leads now. */
  announce(key: ServiceKey): Promise<void>;
  /** Tells what an end of the app or of a machine left untold, and takes back numbers of machines that are gone. */
  sweep(): Promise<void>;
}

export interface NetworkSources {
  readonly tables: Tables;
  readonly replicas: Documents<Replica>;
  readonly machines: Pick<MachineStore, 'list' | 'change'>;
  readonly engineOf: EngineOf;
  readonly receivers: Receivers;
  /** CIDR of all containers, and that of the machines. */
  readonly range: string;
  readonly machineNetwork: string;
  /** Whether an environment has applications. */
  isUsed(environment: EnvironmentName): Promise<boolean>;
  now(): Date;
}

export function networks(sources: NetworkSources): Networks {
  const { machines, receivers, range } = sources;
  const rows = networkRows(sources.tables);
  const opened = shared();
  const { spread, forgive } = telling(sources);

  /** @param known numbers that elsewhere are said to be somebody's: storage may have lost its last seconds */
  const takeNumber = async (
    place: readonly [string, string],
    owner: string,
    most: number,
    known: Numbers,
  ): Promise<number | undefined> => {
    let taken: Numbers | undefined;
    await rows.numbers.update(...place, (current = { taken: {} }) => {
      const all = merged(current, known);
      taken = take(all, owner, most);
      return taken === current ? undefined : taken;
    });
    return taken && numberOfOwner(taken, owner);
  };

  const announcePeers = batched(async (): Promise<void> => {
    await untilWritten(async () => {
      const stored = await rows.peers.get(...PEERS);
      const records = await machines.list();
      const before = stored?.value ?? noPeers;
      const peers = peersOf(records);
      if (same(before.peers, peers)) return;
      const members = records.filter(({ network }) => network !== undefined).map(({ name }) => name);
      const next = { version: before.version + 1, peers, behind: members };
      const written = stored
        ? await rows.peers.replace(stored, next)
        : await rows.peers.insert(...PEERS, next);
      await spread(rows.peers, written, peersDocument(next));
    });
  });

  const announceServices = batched<ServiceKey>(async (environment, keys) => {
    await untilWritten(async () => {
      const stored = await rows.environments.get(ENVIRONMENTS, environment);
      // No container of it has joined the network yet.
      if (stored === undefined) return;
      const services = { ...stored.value.services };
      await Promise.all(
        keys.map(async (key) => {
          const replicas = await all(sources.replicas.list({ partition: serviceId(key) }));
          if (replicas.length === 0) delete services[nameOf(key)];
          else services[nameOf(key)] = [...addressesOf(replicas)];
        }),
      );
      if (same(stored.value.services, services)) return;
      const { version, machines: members } = stored.value;
      const next: EnvironmentRow = { ...stored.value, version: version + 1, services, behind: members };
      const written = await rows.environments.replace(stored, next);
      await spread(rows.environments, written, namesDocument(next));
    });
  });

  const open = async (
    environment: EnvironmentName,
    { name, address, network }: Parameters<Networks['open']>[1],
  ): Promise<void> => {
    if (network === undefined) return;
    const others = await all(rows.environments.list({ partition: ENVIRONMENTS }));
    const known = numbersOf(others.map((one) => ({ number: one.number, owner: one.environment })));
    const number = await takeNumber(ENVIRONMENT_NUMBERS, environment, MOST_ENVIRONMENTS, known);
    if (number === undefined) throw tooManyEnvironments(environment);
    const first = { version: 1, behind: [], environment, number, services: {}, machines: [] };
    const row = await rows.environments.update(ENVIRONMENTS, environment, (current = first) =>
      current.machines.includes(name) ? undefined : { ...current, machines: [...current.machines, name] },
    );
    // Before its first container asks for a name.
    if (row !== undefined) await receivers.tell({ name, address }, namesDocument(row));
    const engine = await sources.engineOf({ name, address });
    await engine.ensureNetwork({
      name: networkName(environment),
      bridge: bridgeOf(number),
      ...environmentSubnet(range, network.number, number),
      mtu: MTU,
      trusted: WIREGUARD,
    });
  };

  const sweepNumbers = async (records: readonly Machine[]): Promise<void> => {
    const known = new Set<string>(records.map(({ name }) => name));
    await rows.numbers.update(...MACHINE_NUMBERS, (current) => {
      const gone = Object.values(current?.taken ?? {}).filter((owner) => !known.has(owner));
      return current && gone.length > 0 ? gone.reduce(release, current) : undefined;
    });
  };

  return {
    async join({ name }, { means, publicKey, reason }) {
      forgive(name);
      const known = numbersOf(
        (await machines.list()).map((one) => ({ number: one.network?.number, owner: one.name })),
      );
      const number = await takeNumber(MACHINE_NUMBERS, name, mostMachines(range), known);
      if (number === undefined) return undefined;
      const network = {
        number,
        subnet: machineSubnet(range, number),
        resolver: resolverOf(range, number),
        means,
        ...(publicKey !== undefined && { publicKey }),
        ...(reason !== undefined && { reason }),
      };
      await machines.change(name, (current) =>
        same(current.network, network) ? undefined : { ...current, network },
      );
      await announcePeers('', undefined);
      const [peers, environments] = await Promise.all([
        rows.peers.get(...PEERS),
        all(rows.environments.list({ partition: ENVIRONMENTS })),
      ]);
      const here = environments.filter((one) => one.machines.includes(name));
      return {
        place: {
          range,
          subnet: network.subnet,
          resolver: network.resolver,
          machines: sources.machineNetwork,
          publishedPorts: PUBLISHED_PORTS,
          ...layoutOf(range),
          mtu: MTU,
        },
        documents: [peersDocument(peers?.value ?? noPeers), ...here.map(namesDocument)],
      };
    },

    open: (environment, machine) =>
      opened(`${machine.name} ${environment}`, () => open(environment, machine)),
    announce: (key) => announceServices(key.environment, key),

    async sweep() {
      const [records, environments] = await Promise.all([
        machines.list(),
        all(rows.environments.list({ partition: ENVIRONMENTS })),
      ]);
      if (environments.length === 0 && records.every(({ network }) => network === undefined)) return;
      await sweepNumbers(records);
      await announcePeers('', undefined);
      const peers = await rows.peers.get(...PEERS);
      if (peers !== undefined && peers.value.behind.length > 0)
        await spread(rows.peers, peers, peersDocument(peers.value));
      const keys = new Map<string, ServiceKey>();
      for await (const { value } of sources.replicas.list({})) keys.set(serviceId(value.key), value.key);
      for (const row of environments) for (const key of keysOf(row)) keys.set(serviceId(key), key);
      await Promise.all([...keys.values()].map((key) => announceServices(key.environment, key)));
      for await (const stored of rows.environments.list({ partition: ENVIRONMENTS }))
        if (stored.value.behind.length > 0)
          await spread(rows.environments, stored, namesDocument(stored.value));
      await closeEnvironments(sources, rows, records);
    },
  };
}

/** Ports of machines that lead to containers, as placement gives them. */
const PUBLISHED_PORTS: [number, number] = [20_000, 29_999];

/** Services that a row names. */
const keysOf = ({ environment, services }: EnvironmentRow): readonly ServiceKey[] =>
  Object.keys(services).map((name) => {
    const [application, service] = name.split('.');
    return { environment, application, service } as ServiceKey;
  });

/** JSON of members in the same order. */
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const MOST_TRIES = 20;

/** Again while others were faster. */
async function untilWritten(attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Conflict) || tries === MOST_TRIES) throw error;
    }
  }
}

const tooManyEnvironments = (environment: string): Terminal =>
  new Terminal({
    code: 'too-many-environments',
    status: 409,
    message: `Environment ${environment} cannot have a network: ${MOST_ENVIRONMENTS} environments have one already.`,
    remedy: 'Remove the applications of an environment that is no longer needed.',
  });
