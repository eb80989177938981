import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { EngineApi } from '../../infra/local/machine-runtime/engine-api.ts';
import { now } from '../webhook.ts';

/** A machine's engine and its address in the machines' network. */
export interface Member {
  readonly engine: EngineApi;
  readonly address: string;
}

export interface Swarm {
  /** The network in which its services find each other by name. */
  readonly network: string;
  /**
   * As `docker service create --detach` asks for it.
   * @param network `--network`; absent: the engine's default one alone, in which nobody is found by name
   * @returns milliseconds since 1970 at which it was sent
   */
  create(name: string, image: string, replicas: number, network?: string): Promise<number>;
  /** Removes a service, and waits until no container of it is left. */
  remove(name: string): Promise<void>;
}

const Tokens = z.object({ JoinTokens: z.object({ Worker: z.string() }) });
const PORT = 2377;
const NETWORK = 'named';

/** Makes these engines a swarm: the first is its manager. https://docs.docker.com/reference/api/engine/ (swarm, services) */
export async function makeSwarm(members: readonly Member[]): Promise<Swarm> {
  const [manager, ...workers] = members;
  if (manager === undefined) throw new RangeError('a swarm needs an engine');
  const { engine } = manager;
  const listen = `0.0.0.0:${PORT}`;
  await engine.send('POST', '/swarm/init', {
    ListenAddr: listen,
    AdvertiseAddr: manager.address,
    // Docker's own choice may be the machines' network.
    DefaultAddrPool: ['10.201.0.0/16'],
    SubnetSize: 24,
  });
  const { JoinTokens } = await engine.json(Tokens, 'GET', '/swarm');
  for (const worker of workers)
    await worker.engine.send('POST', '/swarm/join', {
      ListenAddr: listen,
      AdvertiseAddr: worker.address,
      RemoteAddrs: [`${manager.address}:${PORT}`],
      JoinToken: JoinTokens.Worker,
    });
  await engine.send('POST', '/networks/create', { Name: NETWORK, Driver: 'overlay', CheckDuplicate: true });
  return {
    network: NETWORK,
    async create(name, image, replicas, network) {
      const sent = now();
      await engine.send('POST', '/services/create', specification(name, image, replicas, network));
      return sent;
    },
    async remove(name) {
      await engine.send('DELETE', `/services/${name}`);
      const filters = JSON.stringify({ label: [`com.docker.swarm.service.name=${name}`] });
      const query = new URLSearchParams({ all: 'true', filters });
      for (const member of members)
        while (
          (await member.engine.json(z.array(z.unknown()), 'GET', `/containers/json?${query}`)).length > 0
        )
          await sleep(100);
    },
  };
}

/** The same container as Berth's: command, cores, memory, time to stop. */
const specification = (Name: string, Image: string, Replicas: number, network?: string) => ({
  Name,
  TaskTemplate: {
    ContainerSpec: { Image, Command: ['sleep', '3600'], StopGracePeriod: 0, Init: false },
    Resources: { Limits: { NanoCPUs: 20_000_000, MemoryBytes: 16 * 2 ** 20 } },
    Networks: network && [{ Target: network }],
  },
  Mode: { Replicated: { Replicas } },
});
