import { z } from 'zod';

/** One condition on a machine. Swarm's words mean the same: `node.labels.disk == ssd`, `node.hostname != x`. */
export interface Constraint {
  readonly on: 'label' | 'zone' | 'size' | 'machine';
  /** Of a condition on a label: which. */
  readonly label?: string;
  readonly is: boolean;
  readonly value: string;
}

/** What conditions are about. */
export interface MachineFacts {
  readonly machine: string;
  readonly zone?: string | undefined;
  readonly size?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

const EXPECTED =
  'expected a condition on a machine: "label.disk == ssd", "zone != 2", "size == Standard_D4s_v5" or "machine == batch-x1y2z3"';

const SUBJECTS: Readonly<Record<string, 'zone' | 'size' | 'machine'>> = {
  zone: 'zone',
  size: 'size',
  machine: 'machine',
  'node.hostname': 'machine',
};
const LABEL = /^(?:label|labels|node\.labels)\.(?<label>[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?)$/;

/** @returns the condition, or why it is none */
export function readConstraint(text: string): Constraint | string {
  const parts = /^\s*(?<on>[^\s=!]+)\s*(?<operator>==|!=)\s*(?<value>\S(?:.*\S)?)\s*$/.exec(text)?.groups;
  if (parts === undefined) return EXPECTED;
  const { on = '', operator, value = '' } = parts;
  const is = operator === '==';
  const label = LABEL.exec(on)?.groups?.['label'];
  if (label !== undefined) return { on: 'label', label, is, value };
  const subject = SUBJECTS[on];
  if (subject !== undefined) return { on: subject, is, value };
  if (on.startsWith('node.'))
    return `no machine of Berth has ${on}: of Swarm's words node.labels.NAME and node.hostname are understood`;
  return EXPECTED;
}

/** `label.disk == ssd` */
export const constraintText = ({ on, label, is, value }: Constraint): string =>
  `${on}${label === undefined ? '' : `.${label}`} ${is ? '==' : '!='} ${value}`;

/** Whether a machine fulfils a condition. What a machine has no word of (a label, a zone) is nothing: never `==`, always `!=`. */
export function holds({ on, label, is, value }: Constraint, facts: MachineFacts): boolean {
  const found = on === 'label' ? facts.labels[label ?? ''] : facts[on];
  const same = on === 'size' ? found?.toLowerCase() === value.toLowerCase() : found === value;
  return same === is;
}

/** Kept in Berth's own words, whichever it was written in. */
const ConstraintText = z.string().transform((text, context) => {
  const read = readConstraint(text);
  if (typeof read !== 'string') return constraintText(read);
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});

/** Another service or job of the environment: `db`, or `shop/db` of another application. */
const PartReference = z
  .string()
  .regex(
    /^([a-z]([a-z0-9-]{0,38}[a-z0-9])?\/)?[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected a service or job of the environment: "db", or "shop/db" of another application',
  );

const Spread = z.enum(['machine', 'zone', 'none']);
const Strategy = z.enum(['binpack', 'spread']);

/** Which machines of its pool something may be on, and which of them is preferred. */
export const PlacementSpec = z.strictObject({
  /** All must hold when it is placed. */
  constraints: z.array(ConstraintText).max(20).optional(),
  /** Only on machines where these are. */
  affinity: z.array(PartReference).max(20).optional(),
  /** Never on a machine where one of these is, and none of these beside it afterwards. */
  antiAffinity: z.array(PartReference).max(20).optional(),
  /** What replicas are kept apart by, as far as there is room: the loss of one then takes few with it. Usually `machine`. */
  spread: Spread.optional(),
  /** Which of several equal machines: the fullest, so that others stay empty and can go, or the emptiest. Usually `binpack`. */
  strategy: Strategy.optional(),
  /** Replicas of one revision on one machine. */
  atMostPerMachine: z.number().int().min(1).max(1000).optional(),
});
export type PlacementSpec = z.infer<typeof PlacementSpec>;

/** `one-per-machine`: one replica on each machine of the pool that fulfils the constraints, also on those that come later. */
export const Mode = z.enum(['replicated', 'one-per-machine']);
export type Mode = z.infer<typeof Mode>;

/** A port of the machine that is the service's own, wherever it runs. */
export const FixedPort = z.strictObject({
  machine: z.number().int().min(1).max(65_535),
  /** The container's; absent: the same. */
  container: z.number().int().min(1).max(65_535).optional(),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
});
export type FixedPort = z.infer<typeof FixedPort>;

/** `53/udp` */
export const portText = ({ machine, protocol }: Pick<FixedPort, 'machine' | 'protocol'>): string =>
  `${machine}/${protocol}`;
