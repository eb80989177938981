import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import { run } from './command.ts';
import type { EngineOptions, HostEngine } from './engine.ts';
import { engineApi } from './engine-api.ts';
import { connectBridge, prepareHost, restoreHost } from './host-settings.ts';
import { judgeEngine } from './judge-engine.ts';

type Place = Pick<EngineOptions, 'id' | 'directory'>;

/** Where our own engine keeps what. Sockets are under /run, since a socket's path has at most 107 bytes. */
export function ownEngine({ id, directory }: Place) {
  const data = join(directory, 'engine');
  const volatile = `/run/berth-${id}`;
  const state = join(data, 'engine.json');
  return {
    data,
    volatile,
    state,
    recorded: existsSync(state),
    socket: `${volatile}/docker.sock`,
    pidFile: `${volatile}/docker.pid`,
    log: join(data, 'dockerd.log'),
    /** DOCKER_CONFIG of clients that we start: the user's own is left alone. */
    clientConfig: join(data, 'client'),
  };
}

/** Our engine, if it runs: it outlives the process that started it. */
export async function adoptOwnEngine(options: Place): Promise<HostEngine | undefined> {
  if (runningPid(options) === undefined) return undefined;
  const judged = await judgeEngine(engineApi(ownEngine(options).socket));
  return typeof judged === 'string' ? undefined : { ...judged, own: true };
}

/** Starts our engine, detached, apart from any other on this computer: it leaves the host's packet filter alone. */
export async function startOwnEngine(options: EngineOptions): Promise<HostEngine> {
  const place = ownEngine(options);
  await stopProcess(options);
  for (const folder of [place.data, place.volatile, place.clientConfig])
    mkdirSync(folder, { recursive: true });
  prepareHost(options);
  const bridge = await connectBridge(options);
  writeFileSync(place.state, `${JSON.stringify({ socket: place.socket, bridge })}\n`);
  // Its own configuration file, so that the system's /etc/docker/daemon.json is not read.
  const configuration = join(place.data, 'daemon.json');
  writeFileSync(configuration, '{}\n');
  const log = openSync(place.log, 'a');
  const child = spawn(
    'dockerd',
    [
      ['--config-file', configuration],
      ['--data-root', join(place.data, 'data')],
      ['--exec-root', join(place.volatile, 'exec')],
      ['--pidfile', place.pidFile],
      ['--host', `unix://${place.socket}`],
      ['--bridge', bridge],
      ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    ].flat(),
    { detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  child.unref();
  const started = await Promise.race([answering(options), ended]);
  if (typeof started !== 'string') return started;
  throw new Terminal({
    code: 'engine-not-started',
    message: `Our Docker engine did not start: ${started}. Its last words:\n${lastLines(place.log)}`,
    remedy: `Read ${place.log}.`,
  });
}

async function answering(options: EngineOptions): Promise<HostEngine> {
  const give = Date.now() + 60_000;
  for (;;) {
    const engine = await adoptOwnEngine(options);
    if (engine !== undefined) return engine;
    if (Date.now() > give)
      throw new Retryable({
        code: 'engine-unreachable',
        message: 'Our Docker engine was started and has not answered for a minute.',
        remedy: `Read ${ownEngine(options).log}.`,
      });
    await sleep(50);
  }
}

/**
 * Stops our engine with everything that it runs, and puts back what was changed on this computer for it. Its data
 * stays, so that the next start finds images and machines. Does nothing where we have no engine.
 */
export async function stopEngine(options: Place): Promise<void> {
  const place = ownEngine(options);
  if (!place.recorded) return;
  await stopProcess(options);
  await unmountRests(place);
  await restoreHost(options);
  rmSync(place.volatile, { recursive: true, force: true });
}

/**
 * Stops dockerd, and then the containerd that it started. Its pid file goes too: where dockerd was killed, the dead
 * containerd may not be reaped yet, and the next dockerd would take it for alive and wait for it in vain.
 */
async function stopProcess(options: Place): Promise<void> {
  await endProcess(() => runningPid(options));
  const folder = join(ownEngine(options).volatile, 'exec', 'containerd');
  const pidFile = join(folder, 'containerd.pid');
  await endProcess(() => pidOf(pidFile, 'containerd', join(folder, 'containerd.toml')));
  rmSync(pidFile, { force: true });
}

/** An engine that was killed leaves its mounts behind, the last one uppermost. */
async function unmountRests({ data, volatile }: ReturnType<typeof ownEngine>): Promise<void> {
  const targets = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${data}/`) || path.startsWith(`${volatile}/`));
  for (const path of targets.reverse()) await run('umount', ['--lazy', path]);
}

async function endProcess(running: () => number | undefined): Promise<void> {
  const pid = running();
  if (pid === undefined) return;
  const give = Date.now() + 30_000;
  for (let signal: NodeJS.Signals | 0 = 'SIGTERM'; running() === pid; await sleep(50)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
    signal = Date.now() > give ? 'SIGKILL' : 0;
  }
}

/** Process id of our dockerd. */
const runningPid = (options: Place): number | undefined => {
  const { pidFile } = ownEngine(options);
  return pidOf(pidFile, 'dockerd', pidFile);
};

/** The pid in this file; one that meanwhile belongs to another program, without `argument`, is not ours. */
function pidOf(file: string, program: string, argument: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(argument) && words[0]?.endsWith(program) ? pid : undefined;
  } catch {
    return undefined;
  }
}

const lastLines = (file: string): string =>
  readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
