import type { MachineName } from '../model/names.ts';
import { constraintText, holds, type MachineFacts } from '../model/placement.ts';
import type { Request } from './demand.ts';
import { hasFreePort } from './ports.ts';

/** One machine of a pool as placement sees it. */
export interface Candidate extends MachineFacts {
  readonly machine: MachineName;
  /** What containers may use: cores, MiB, GPUs; and what is left. */
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly freeCpu: number;
  readonly freeMemory: number;
  /** Ports that Berth gave there, and where the search for a free one begins: one just given up is not given at once. */
  readonly ports: readonly number[];
  readonly nextPort: number;
  /** Numbers of GPUs that are taken. */
  readonly gpus: readonly number[];
  /** Whether a port of the machine is some service's own: `53/udp`. */
  hasFixed(port: string): boolean;
  /** How many of a group, or of a revision of it, are there. */
  countOf(group: string): number;
  /** All of which something is there. */
  groups(): Iterable<string>;
  /** Groups that something there does not want beside it. */
  repelled(): Iterable<string>;
  /** Whether something there does not want this group beside it. */
  repels(group: string): boolean;
  /** False for machines that are silent, retiring, cordoned or failed. */
  readonly usable: boolean;
  /** Not ready yet: chosen only when no ready one has room. */
  readonly coming: boolean;
}

/** Why a machine is not taken. */
export interface Refusal {
  readonly kind:
    | 'unusable'
    | 'silent'
    | 'constraint'
    | 'affinity'
    | 'anti-affinity'
    | 'at-most'
    | 'gpu'
    | 'fixed-port'
    | 'cpu'
    | 'memory'
    | 'port';
  /** After "3 machines": `too few free cores`. */
  readonly words: string;
  /** Of resources: how much more it would have to have. Cores, MiB, GPUs. */
  readonly missing?: number;
}

/** Sums of fractions such as 0.1 are not exact. */
const EPSILON = 1e-9;

export const freeGpus = ({ gpu, gpus }: Candidate): number => gpu - gpus.length;

/** Whether a machine may be taken; the same as no `refusals`, without words since it is asked of many machines. */
export function fits(request: Request, candidate: Candidate): boolean {
  if (!candidate.usable) return false;
  if (candidate.freeCpu + EPSILON < request.cpu || candidate.freeMemory + EPSILON < request.memory)
    return false;
  if (request.gpu > 0 && freeGpus(candidate) < request.gpu) return false;
  if (request.port && !hasFreePort(candidate)) return false;
  if (candidate.repels(request.group)) return false;
  return request.plain || (fitsFacts(request, candidate) && fitsCounts(request, candidate));
}

/** What does not change with what is placed. */
export function fitsFacts({ constraints }: Request, candidate: Candidate): boolean {
  for (const constraint of constraints) if (!holds(constraint, candidate)) return false;
  return true;
}

/** What does. */
export function fitsCounts(
  { fixed, affinity, antiAffinity, set, atMost }: Request,
  candidate: Candidate,
): boolean {
  for (const port of fixed) if (candidate.hasFixed(port)) return false;
  for (const group of affinity) if (candidate.countOf(group) === 0) return false;
  for (const group of antiAffinity) if (candidate.countOf(group) > 0) return false;
  return atMost === Number.POSITIVE_INFINITY || candidate.countOf(set) < atMost;
}

/** Everything that speaks against a machine, what weighs most first. @param avoid machines that did not answer */
export function refusalsOf(
  request: Request,
  candidate: Candidate,
  avoid: readonly string[] = [],
): readonly Refusal[] {
  const found: Refusal[] = [];
  const add = (kind: Refusal['kind'], words: string, missing?: number): void => {
    found.push({ kind, words, ...(missing !== undefined && { missing }) });
  };
  if (!candidate.usable) add('unusable', 'not usable');
  if (avoid.includes(candidate.machine)) add('silent', 'did not answer');
  for (const constraint of request.constraints)
    if (!holds(constraint, candidate)) add('constraint', `not ${constraintText(constraint)}`);
  for (const group of request.affinity)
    if (candidate.countOf(group) === 0) add('affinity', `without ${group}`);
  for (const group of request.antiAffinity)
    if (candidate.countOf(group) > 0) add('anti-affinity', `with ${group}`);
  if (candidate.repels(request.group)) add('anti-affinity', 'with something that is not to be beside it');
  if (candidate.countOf(request.set) >= request.atMost)
    add('at-most', `with ${request.atMost} of its replicas already`);
  if (request.gpu > 0 && freeGpus(candidate) < request.gpu)
    add('gpu', 'too few free GPUs', request.gpu - freeGpus(candidate));
  for (const port of request.fixed) if (candidate.hasFixed(port)) add('fixed-port', `port ${port} taken`);
  if (candidate.freeCpu + EPSILON < request.cpu)
    add('cpu', 'too few free cores', request.cpu - Math.max(0, candidate.freeCpu));
  if (candidate.freeMemory + EPSILON < request.memory)
    add('memory', 'too little free memory', request.memory - Math.max(0, candidate.freeMemory));
  if (request.port && !hasFreePort(candidate)) add('port', 'no free port');
  return found;
}
