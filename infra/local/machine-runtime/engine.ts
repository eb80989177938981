import { existsSync } from 'node:fs';
import { Terminal } from '../../../shared/model/errors.ts';
import { type EngineApi, engineApi } from './engine-api.ts';
import { installEngine, whyNotInstall } from './install-engine.ts';
import { judgeEngine } from './judge-engine.ts';
import { adoptOwnEngine, ownEngine, startOwnEngine } from './own-engine.ts';

/** The Docker engine of this computer that carries the machines. */
export interface HostEngine {
  readonly api: EngineApi;
  /** Path of its socket. */
  readonly socket: string;
  /** Started by us: nobody else's containers are on it, and its networks are ours to connect. */
  readonly own: boolean;
  /** For people: `Docker 20.10.24`. */
  readonly name: string;
  readonly cores: number;
}

export interface EngineOptions {
  /** The data centre's id: in the names of our engine's folders and interfaces. */
  readonly id: string;
  /** The data centre's directory, absolute; our engine keeps its data in `engine/` under it. */
  readonly directory: string;
  /** DOCKER_HOST of the caller's environment. */
  readonly dockerHost: string | undefined;
  /** Told what takes time, a line each. */
  readonly report: (line: string) => void;
}

/**
 * Finds the engine that this data centre uses: our own if it has one, else one that runs on this computer and can
 * carry machines, else our own, which is installed where that is possible.
 * @throws Terminal `engine-missing`, which says of each engine why it cannot be used
 */
export async function ensureEngine(options: EngineOptions): Promise<HostEngine> {
  const adopted = await adoptOwnEngine(options);
  if (adopted !== undefined) return adopted;
  const found = ownEngine(options).recorded ? [] : await findEngine(options.dockerHost);
  if (!Array.isArray(found)) return found;
  const obstacle = await whyNotInstall();
  if (obstacle !== undefined) throw missing([...found, `our own: ${obstacle}`]);
  // That there is none is what one expects; that there is one and it does not serve is worth a line.
  for (const reason of found) if (!reason.endsWith(nothing)) options.report(`not used: ${reason}`);
  await installEngine(options.report);
  return startOwnEngine(options);
}

/** Installs what our own engine needs, where no engine runs that can carry machines and it can be installed. */
export async function installWhereNone(
  dockerHost: string | undefined,
  report: (line: string) => void,
): Promise<void> {
  const found = await findEngine(dockerHost);
  if (Array.isArray(found) && (await whyNotInstall()) === undefined) await installEngine(report);
}

/** Why no engine of this computer can carry machines, and none of ours can be had; undefined if one can. */
export async function whyNoEngine(dockerHost: string | undefined): Promise<string | undefined> {
  const found = await findEngine(dockerHost);
  const obstacle = Array.isArray(found) ? await whyNotInstall() : undefined;
  return Array.isArray(found) && obstacle !== undefined
    ? [...found, `our own: ${obstacle}`].join('; ')
    : undefined;
}

/** An engine that runs and can carry machines, or of each why it cannot. */
async function findEngine(dockerHost: string | undefined): Promise<HostEngine | string[]> {
  const reasons: string[] = [];
  for (const address of addresses(dockerHost)) {
    const judged = await judgeAddress(address);
    if (typeof judged !== 'string') return judged;
    reasons.push(`${address}: ${judged}`);
  }
  return reasons;
}

const missing = (reasons: readonly string[]): Terminal =>
  new Terminal({
    code: 'engine-missing',
    message: `No Docker engine can carry machines.\n${reasons.map((line) => `  ${line}`).join('\n')}`,
    remedy:
      'Start Docker Engine on this Linux computer (sudo systemctl start docker) and see that you may use /var/run/docker.sock, or run this as root on Debian or Ubuntu.',
  });

const nothing = 'no engine listens there';

const addresses = (dockerHost: string | undefined): readonly string[] => [
  ...new Set([
    ...(dockerHost === undefined || dockerHost === '' ? [] : [dockerHost]),
    'unix:///var/run/docker.sock',
  ]),
];

async function judgeAddress(address: string): Promise<HostEngine | string> {
  if (!address.startsWith('unix://'))
    return 'is not a unix socket; machines need an engine on this computer itself';
  const socket = address.slice('unix://'.length);
  if (!existsSync(socket)) return nothing;
  return judgeEngine(engineApi(socket));
}
