import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../data-centre.ts';
import { absentMachine } from './absent-machine.ts';
import { aptOfMachines } from './apt-settings.ts';
import { ensureBaseImage } from './base-image.ts';
import { boundingSet, machineCapabilities } from './capabilities.ts';
import { capturedImageName, captureMachine, removeCapturedImage } from './capture.ts';
import type { HostEngine } from './engine.ts';
import { readAll } from './engine-api.ts';
import { nameServers } from './host-routes.ts';
import { containerName, dataCentreLabel, machineContainer, volumeName } from './machine-container.ts';
import { execute, inspectMachine, isAbsent, listMachines, runProgram } from './machine-containers.ts';
import {
  type MachineSurroundings,
  machineFolders,
  readPower,
  removeMachineFolder,
  writeInboundRules,
  writeMachineFolder,
  writePower,
} from './machine-folder.ts';
import { ensureMachineNetwork } from './machine-network.ts';
import type { MachineRuntime } from './machine-runtime.ts';
import { oncePer } from './once.ts';
import { platformFolder } from './platform-settings.ts';
import { answerEnd, followPower } from './power.ts';
import { newestRelease, releaseOf } from './release.ts';

export interface DockerMachineRuntimeOptions {
  readonly engine: HostEngine;
  /** The data centre's id. */
  readonly id: string;
  /** Absolute: `machines/` under it holds a folder for each machine. */
  readonly directory: string;
  /** Where the base image's archive is kept, absolute. */
  readonly cache: string;
  /** Name and subnet of the machines' Docker network. */
  readonly network: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly metadataPort: number;
  /** Ports of the gateway that containers in machines may reach: the app's. */
  readonly openPorts: readonly number[];
  /** The platform CA's certificate, PEM. */
  readonly authority: string;
  readonly report: (line: string) => void;
}

/**
 * Machines as systemd hosts in containers of this computer's engine. Starts those that should run and do not (the
 * engine or the computer was down), and keeps watch until it is closed; machines go on without it.
 */
export async function dockerMachineRuntime(
  options: DockerMachineRuntimeOptions,
): Promise<MachineRuntime & Running> {
  const { engine, id, directory, subnet } = options;
  const api = engine.api;
  const container = (name: string) => containerName(id, name);
  const surroundings: MachineSurroundings = {
    network: subnet,
    platform: {
      gateway: options.gateway,
      metadataPort: options.metadataPort,
      openPorts: options.openPorts,
    },
    authority: options.authority,
    apt: aptOfMachines(),
  };
  const place = {
    id,
    directory,
    network: options.network,
    capabilities: machineCapabilities(boundingSet()),
    cores: engine.cores,
    resolvers: writeResolvers(directory),
  };

  const start = async (name: string) => {
    writePower(directory, name, 'on');
    // 304: it runs already.
    await api.send('POST', `/containers/${container(name)}/start`, undefined, [304]);
  };
  const powering = { api, id, directory, start, report: options.report };
  const resume = async () => {
    for (const name of machineFolders(directory)) {
      try {
        const found = await inspectMachine(api, container(name));
        if (found === undefined || found.State.Running) continue;
        await answerEnd(powering, name);
        if (readPower(directory, name) === 'on') await start(name);
      } catch (error) {
        // One machine that does not start must not keep the others down.
        options.report(`${name} does not start: ${error}`);
      }
    }
  };
  const closing = new AbortController();
  const base = oncePer((release: string) =>
    ensureBaseImage(api, release, { ...options, signal: closing.signal }),
  );
  // It takes a minute the first time: it is begun before anyone asks. Who asks then hears of a failure.
  base(newestRelease).catch(() => {});
  // An engine that was started anew has lost the rules of the machines' network.
  await ensureMachineNetwork(engine, { id, name: options.network, avoid: [], subnet });
  const power = await followPower({ ...powering, resume });

  const runtime: MachineRuntime = {
    create: async (request) => {
      if ((await inspectMachine(api, container(request.name))) === undefined) {
        const image =
          request.image.kind === 'captured'
            ? capturedImageName(id, request.image.imageId)
            : await base(releaseOf(request.image.reference));
        writeMachineFolder(directory, request, surroundings);
        await api.send('POST', '/volumes/create', {
          Name: volumeName(id, request.name),
          Labels: { [dataCentreLabel]: id },
        });
        const body = machineContainer(request, { ...place, image });
        // 409: another call made it meanwhile.
        await api.send('POST', `/containers/create?name=${container(request.name)}`, body, [409]);
      }
      if (readPower(directory, request.name) !== 'off') await start(request.name);
    },
    start,
    stop: async (name) => {
      writePower(directory, name, 'off');
      await api.send('POST', `/containers/${container(name)}/stop?t=30`, undefined, [304, 404]);
    },
    restart: async (name) => {
      writePower(directory, name, 'on');
      await api.send('POST', `/containers/${container(name)}/restart?t=30`);
    },
    remove: async (name) => {
      // First, so that the watch does not start what ends now.
      removeMachineFolder(directory, name);
      await api.send('DELETE', `/containers/${container(name)}?force=true&v=true`, undefined, [404]);
      await api.send('DELETE', `/volumes/${volumeName(id, name)}?force=true`, undefined, [404]);
    },
    state: async (name) => {
      const found = await inspectMachine(api, container(name));
      if (found === undefined) return 'absent';
      return found.State.Running ? 'running' : 'stopped';
    },
    list: () => listMachines(api, id),
    console: async (name) => {
      const found = await inspectMachine(api, container(name));
      if (found === undefined) throw absentMachine(name);
      const since = new Date(found.State.StartedAt).getTime() / 1000;
      const path = `/containers/${found.Id}/logs?stdout=true&stderr=true&since=${since.toFixed(3)}`;
      return (await readAll(await api.stream('GET', path))).toString();
    },
    capture: async (name, imageId) => {
      const found = await inspectMachine(api, container(name));
      if (found === undefined) throw absentMachine(name);
      await captureMachine({ api, id, container: found.Id, imageId });
    },
    removeImage: (imageId) => removeCapturedImage(api, id, imageId),
    run: (name, program) => runProgram(api, container(name), program),
    setInboundRules: async (name, rules) => {
      const changed = writeInboundRules(directory, name, rules, subnet);
      const found = await inspectMachine(api, container(name));
      if (!changed || !found?.State.Running) return;
      const load = `iptables-restore --wait --noflush < ${platformFolder}/inbound.rules`;
      await execute(api, found.Id, ['sh', '-c', load]).catch((error) => {
        // It went down meanwhile, and reads the file when it boots.
        if (!isAbsent(error)) throw error;
      });
    },
  };
  await resume();
  return {
    ...runtime,
    close: async () => {
      closing.abort();
      await power.close();
    },
  };
}

/**
 * A resolv.conf for machines. The engine's own resolver is at a loopback address, which is of no use to the
 * containers in a machine: they get a copy of what the machine has.
 */
function writeResolvers(directory: string): string | undefined {
  const servers = nameServers();
  if (servers.length === 0) return undefined;
  mkdirSync(join(directory, 'machines'), { recursive: true });
  const file = join(directory, 'resolv.conf');
  writeFileSync(file, servers.map((address) => `nameserver ${address}\n`).join(''));
  return file;
}
