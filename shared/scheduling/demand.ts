import { z } from 'zod';
import { type Constraint, readConstraint } from '../model/placement.ts';

/** Where something may be, with the names of groups instead of those of services. */
export const Wishes = z.object({
  constraints: z.array(z.string()).optional(),
  /** Groups: ids of services and jobs. */
  affinity: z.array(z.string()).optional(),
  antiAffinity: z.array(z.string()).optional(),
  spread: z.enum(['machine', 'zone', 'none']).optional(),
  strategy: z.enum(['binpack', 'spread']).optional(),
  atMost: z.number().int().optional(),
});
export type Wishes = z.infer<typeof Wishes>;

/** What something needs of a machine. Cores (fractions), MiB, whole GPUs, and whether it needs one of Berth's ports there. */
export interface Demand {
  readonly cpu: number;
  readonly memory: number;
  readonly port: boolean;
  readonly gpu?: number | undefined;
  /** Ports of the machine that it must have: `53/udp`. */
  readonly fixed?: readonly string[] | undefined;
  /** Replicas of one revision of a service: what `atMost` counts. */
  readonly set?: string | undefined;
  readonly wishes?: Wishes | undefined;
  /** It follows the machines: it keeps none, and none is added for it. */
  readonly follows?: boolean | undefined;
}

/** A demand as it is compared with many machines. */
export interface Request extends Pick<Demand, 'cpu' | 'memory' | 'port'> {
  readonly gpu: number;
  readonly fixed: readonly string[];
  readonly set: string;
  readonly follows: boolean;
  readonly group: string;
  readonly constraints: readonly Constraint[];
  readonly affinity: readonly string[];
  readonly antiAffinity: readonly string[];
  readonly spread: 'machine' | 'zone' | 'none';
  readonly strategy: 'binpack' | 'spread';
  readonly atMost: number;
  /** Asks for nothing but resources. */
  readonly plain: boolean;
}

export function requestOf(demand: Demand, group: string): Request {
  const { cpu, memory, port, gpu = 0, fixed = [], set, wishes = {}, follows = false } = demand;
  const { constraints = [], affinity = [], antiAffinity = [] } = wishes;
  const lists = [fixed, constraints, affinity, antiAffinity];
  return {
    cpu,
    memory,
    port,
    gpu,
    fixed,
    plain: wishes.atMost === undefined && lists.every(({ length }) => length === 0),
    set: set ?? group,
    group,
    follows,
    constraints: constraintsOf(constraints),
    affinity,
    antiAffinity,
    spread: wishes.spread ?? 'machine',
    strategy: wishes.strategy ?? 'binpack',
    atMost: wishes.atMost ?? Number.POSITIVE_INFINITY,
  };
}

export const sameDemand = (a: Demand, b: Demand): boolean =>
  a === b ||
  (a.cpu === b.cpu &&
    a.memory === b.memory &&
    a.port === b.port &&
    (a.gpu ?? 0) === (b.gpu ?? 0) &&
    a.set === b.set &&
    a.follows === b.follows &&
    (a.fixed ?? []).join() === (b.fixed ?? []).join() &&
    (a.wishes === b.wishes || JSON.stringify(a.wishes) === JSON.stringify(b.wishes)));

/** They were read before they were stored. */
export const constraintsOf = (texts: readonly string[]): readonly Constraint[] =>
  texts.map((text) => {
    const read = readConstraint(text);
    if (typeof read === 'string') throw new TypeError(`constraint "${text}": ${read}`);
    return read;
  });

const round = (number: number) => Number(number.toFixed(3));

/** `0.5 cores and 256 MiB`, `4 cores, 16384 MiB, 2 GPUs and port 53/udp` */
export function demandText({ cpu, memory, gpu = 0, fixed = [] }: Demand): string {
  const parts = [
    `${round(cpu)} cores`,
    `${memory} MiB`,
    ...(gpu > 0 ? [`${gpu} GPU${gpu === 1 ? '' : 's'}`] : []),
    ...(fixed.length > 0 ? [`port${fixed.length === 1 ? '' : 's'} ${fixed.join(', ')}`] : []),
  ];
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
