import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Retryable, Terminal } from '../../../../shared/model/errors.ts';
import type { Running } from '../../data-centre.ts';
import { absentMachine } from '../absent-machine.ts';
import { aptOfMachines } from '../apt-settings.ts';
import { run } from '../command.ts';
import { nameServers } from '../host-routes.ts';
import { machineBridge } from '../host-settings.ts';
import {
  type MachineSurroundings,
  machineFolder,
  machineFolders,
  readPower,
  removeMachineFolder,
  writeInboundRules,
  writeMachineFolder,
  writePower,
} from '../machine-folder.ts';
import type { MachineRuntime } from '../machine-runtime.ts';
import { oncePer } from '../once.ts';
import { newestRelease, releaseOf } from '../release.ts';
import { findAccelerator } from './accelerator.ts';
import { ensureBaseDisk } from './base-disk.ts';
import { agentAnswers, runByAgent } from './guest-agent.ts';
import { endedByItself, processFiles, runningProcess, startProcess, stopProcess } from './machine-process.ts';
import { makeDiscs, writeGuestNetwork } from './platform-disc.ts';
import { ensureTap, removeTap, tapName } from './tap.ts';

export interface QemuMachineRuntimeOptions {
  /** The data centre's id. */
  readonly id: string;
  /** Absolute: `machines/` under it holds a folder for each machine, `images/` captured disks. */
  readonly directory: string;
  /** Where the base disk is kept, absolute. */
  readonly cache: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly metadataPort: number;
  /** Ports of the gateway that containers in machines may reach: the app's. */
  readonly openPorts: readonly number[];
  /** The platform CA's certificate, PEM. */
  readonly authority: string;
  readonly report: (line: string) => void;
}

/** What a machine was made with, for its next start. */
const Hardware = z.object({ cores: z.number(), memory: z.number(), release: z.string() });

/** Size of a machine's disk: it takes only what is written. */
const DISK = '30G';
const AGENT_WITHIN_MS = 180_000;
const PAUSE_MS = 500;

/** Machines as virtual machines of QEMU on the bridge of the machines' network. They go on without this process. */
export async function qemuMachineRuntime(
  options: QemuMachineRuntimeOptions,
): Promise<MachineRuntime & Running> {
  const { id, directory, report } = options;
  const place = { id, directory };
  const bridge = machineBridge(id);
  if (!existsSync(`/sys/class/net/${bridge}`)) throw noBridge(bridge);
  const accelerator = await findAccelerator();
  report(
    accelerator === 'kvm'
      ? 'machines are virtual machines with KVM'
      : 'machines are virtual machines without KVM, which does not work here: each takes minutes to boot',
  );
  const surroundings: MachineSurroundings = {
    network: options.subnet,
    platform: { gateway: options.gateway, metadataPort: options.metadataPort, openPorts: options.openPorts },
    authority: options.authority,
    apt: aptOfMachines(),
  };
  const closing = new AbortController();
  const base = oncePer((release: string) => ensureBaseDisk(release, { ...options, signal: closing.signal }));
  base(newestRelease).catch(() => {});

  const isThere = (name: string) => existsSync(hardwareFile(directory, name));
  const isRunning = (name: string) => runningProcess(place, name) !== undefined;
  const start = async (name: string) => {
    if (!isThere(name)) throw absentMachine(name);
    writePower(directory, name, 'on');
    if (isRunning(name)) return;
    const { release, ...hardware } = hardwareOf(name);
    await ensureTap(tapName(id, name), bridge);
    const discs = await makeDiscs(directory, name);
    await startProcess(place, name, { ...hardware, accelerator, base: await base(release), discs });
  };
  const stop = async (name: string) => {
    writePower(directory, name, 'off');
    await stopProcess(place, name);
  };
  const imageFile = (imageId: string) =>
    join(directory, 'images', `${createHash('sha256').update(imageId.toLowerCase()).digest('hex')}.qcow2`);
  const releaseFile = (imageId: string) => `${imageFile(imageId)}.release`;
  const hardwareOf = (name: string) =>
    Hardware.parse(JSON.parse(readFileSync(hardwareFile(directory, name), 'utf8')));

  for (const name of machineFolders(directory)) {
    if (!isThere(name) || isRunning(name) || readPower(directory, name) !== 'on') continue;
    if (endedByItself(place, name)) {
      writePower(directory, name, 'off');
      continue;
    }
    // The computer was down: one machine that does not start must not keep the others down.
    await start(name).catch((error) => report(`${name} does not start: ${error}`));
  }

  return {
    create: async (request) => {
      const { name, address, cores, memory, image } = request;
      if (!isThere(name)) {
        const captured = image.kind === 'captured' ? imageFile(image.imageId) : undefined;
        // The kernel is given to QEMU beside the disk that has its modules.
        const release =
          image.kind === 'captured'
            ? readFileSync(releaseFile(image.imageId), 'utf8')
            : releaseOf(image.reference);
        const { disk } = await base(release);
        writeMachineFolder(directory, request, surroundings);
        const bits = Number(options.subnet.split('/')[1]);
        const network = { address, bits, gateway: options.gateway, resolvers: nameServers() };
        writeGuestNetwork(directory, name, network);
        const backing = captured === undefined ? ['-F', 'raw', '-b', disk] : ['-F', 'qcow2', '-b', captured];
        const files = processFiles(place, name);
        await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, files.disk, DISK]);
        // Last: a machine with this file is whole.
        const file = hardwareFile(directory, name);
        writeFileSync(`${file}.new`, JSON.stringify({ cores, memory, release }));
        renameSync(`${file}.new`, file);
      }
      if (readPower(directory, name) !== 'off') await start(name);
    },
    start,
    stop,
    restart: async (name) => {
      await stop(name);
      await start(name);
    },
    remove: async (name) => {
      await stopProcess(place, name, 0);
      await removeTap(tapName(id, name));
      const { monitor, agent } = processFiles(place, name);
      for (const socket of [monitor, agent]) rmSync(socket, { force: true });
      removeMachineFolder(directory, name);
    },
    state: async (name) => (isThere(name) ? (isRunning(name) ? 'running' : 'stopped') : 'absent'),
    list: async () => machineFolders(directory).filter(isThere),
    console: async (name) => {
      if (!isThere(name)) throw absentMachine(name);
      const { console } = processFiles(place, name);
      return existsSync(console) ? readFileSync(console, 'utf8') : '';
    },
    capture: async (name, imageId) => {
      if (!isThere(name)) throw absentMachine(name);
      const file = imageFile(imageId);
      if (existsSync(file)) return;
      mkdirSync(join(directory, 'images'), { recursive: true });
      // Whole, so that it depends on no other disk.
      await run('qemu-img', ['convert', '-O', 'qcow2', processFiles(place, name).disk, `${file}.new`]);
      writeFileSync(releaseFile(imageId), hardwareOf(name).release);
      renameSync(`${file}.new`, file);
    },
    removeImage: async (imageId) => {
      for (const file of [imageFile(imageId), releaseFile(imageId)]) rmSync(file, { force: true });
    },
    run: async (name, program) => {
      if (!isRunning(name)) throw isThere(name) ? down(name) : absentMachine(name);
      return await runByAgent(processFiles(place, name).agent, program);
    },
    setInboundRules: async (name, rules) => {
      const changed = writeInboundRules(directory, name, rules, options.subnet);
      if (!changed || !isRunning(name)) return;
      const { agent } = processFiles(place, name);
      const until = Date.now() + AGENT_WITHIN_MS;
      while (isRunning(name) && !(await agentAnswers(agent))) {
        if (Date.now() > until) throw unanswered(name);
        await sleep(PAUSE_MS);
      }
      if (!isRunning(name)) return;
      const input = readFileSync(join(machineFolder(directory, name).platform, 'inbound.rules'), 'utf8');
      const end = await runByAgent(agent, { command: ['iptables-restore', '--wait', '--noflush'], input });
      if (end.exitCode !== 0) throw new Error(`${name} refused its inbound rules: ${end.stderr}`);
    },
    close: async () => closing.abort(),
  };
}

const hardwareFile = (directory: string, name: string): string =>
  join(machineFolder(directory, name).root, 'hardware.json');

const down = (name: string): Terminal =>
  new Terminal({
    code: 'machine-down',
    message: `The machine ${name} does not run`,
    remedy: 'Start it first.',
    status: 409,
  });

const unanswered = (name: string): Retryable =>
  new Retryable({
    code: 'machine-not-answering',
    message: `${name} did not take its new inbound rules within ${AGENT_WITHIN_MS / 1000} s; it reads them when it boots`,
    remedy: 'See its console log.',
  });

const noBridge = (bridge: string): Terminal =>
  new Terminal({
    code: 'no-bridge',
    message: `Virtual machines need the network device ${bridge}, which the Docker engine in use does not have on this computer`,
    remedy:
      'Use machines in containers (npm start without --machines qemu), or end that engine so that Berth starts its own.',
  });
