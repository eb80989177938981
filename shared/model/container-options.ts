import { z } from 'zod';
import { Capability } from './capability.ts';
import { orShort } from './short-form.ts';
import { TextValue } from './text-value.ts';

const absolute = z
  .string()
  .regex(/^\/[^\0]*$/, 'expected a path in the container that begins with /')
  .max(4096);

/** Permissions as text, since YAML reads 0400 as four hundred. */
export const FileMode = z
  .string('expected permissions as text in octal digits, for example "0400"')
  .regex(/^0?[0-7]{3,4}$/, 'expected permissions as text in octal digits, for example "0400"');

/** A path in a container at which something is mounted. */
export const MountTarget = absolute.refine(
  (path) => !/^\/*(proc|sys|dev)?\/*$/.test(path) && !path.split('/').includes('..'),
  'expected a path below / without .., and not /proc, /sys or /dev themselves',
);

/** Labels by which Berth knows its containers begin so. */
const OWN_LABELS = 'berth.';

const SIGNALS =
  'HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|RTMIN(\\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?';

/** https://man7.org/linux/man-pages/man2/getrlimit.2.html */
const Ulimits = z.enum([
  ...(['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc'] as const),
  ...(['rss', 'rtprio', 'rttime', 'sigpending', 'stack'] as const),
]);

const limit = z.number().int().min(-1);
const unlimited = (value: number): number => (value === -1 ? Number.POSITIVE_INFINITY : value);

/** Those that have a namespace: others are the machine's, and with it everybody's. */
const SYSCTL =
  /^(net\.[\w./-]+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.\w+)$/;

/** A file system in memory that goes with the container. MiB. */
export const Tmpfs = orShort(
  z.strictObject({
    target: MountTarget,
    size: z.number().int().positive().optional(),
    mode: FileMode.optional(),
  }),
  'string',
  (target) => ({ target }),
);

/**
 * What a container is given beside its image: names and meanings are those of the Compose specification.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md
 */
export const containerOptions = {
  /** In place of the image's own: program and arguments, no shell. */
  entrypoint: z.array(z.string()).min(1).optional(),
  /** `name` or `uid`, and behind a colon the group. */
  user: z
    .string()
    .regex(
      /^[A-Za-z0-9_][\w.-]*(:[A-Za-z0-9_][\w.-]*)?$/,
      'expected a user or uid, and behind a colon a group: app:app',
    )
    .optional(),
  groupAdd: z
    .array(TextValue.pipe(z.string().regex(/^[A-Za-z0-9_][\w.-]*$/, 'expected a group or its number')))
    .optional(),
  workingDirectory: absolute.optional(),
  labels: z
    .record(
      z
        .string()
        .min(1)
        .max(256)
        .refine(
          (name) => !name.startsWith(OWN_LABELS),
          `labels that begin with ${OWN_LABELS} are Berth's own`,
        ),
      TextValue,
    )
    .optional(),
  stopSignal: z
    .string()
    .regex(new RegExp(`^SIG(${SIGNALS})$`), 'expected a signal such as SIGTERM or SIGRTMIN+3')
    .optional(),
  /** A process 1 that passes signals on and reaps. */
  init: z.boolean().optional(),
  /** The container's own file system cannot be written; volumes and tmpfs can. */
  readOnly: z.boolean().optional(),
  /** What an administrator has to allow: docs/containers.md. */
  privileged: z.boolean().optional(),
  capAdd: z.array(Capability).optional(),
  capDrop: z.array(Capability).optional(),
  noNewPrivileges: z.boolean().optional(),
  ulimits: z
    .partialRecord(
      Ulimits,
      orShort(
        z
          .strictObject({ soft: limit, hard: limit })
          .refine(({ soft, hard }) => unlimited(soft) <= unlimited(hard), 'expected soft to be at most hard'),
        'number',
        (both) => ({ soft: both, hard: both }),
      ),
    )
    .optional(),
  sysctls: z
    .record(
      z.string().regex(SYSCTL, 'only net.*, fs.mqueue.* and kernel.msg*, sem and shm* belong to a container'),
      TextValue,
    )
    .optional(),
  /** Names that mean these addresses in the container; `host-gateway` is the machine. */
  extraHosts: z
    .record(
      z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'expected a host name'),
      z.union(
        [z.ipv4(), z.ipv6(), z.literal('host-gateway')],
        'expected an IP address, or host-gateway for the machine',
      ),
    )
    .optional(),
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'expected a host name without dots')
    .optional(),
  /** Standard output is a terminal, and standard error goes with it. */
  tty: z.boolean().optional(),
  /** MiB of /dev/shm. */
  shmSize: z.number().int().positive().optional(),
  /** The most processes and threads. */
  pidsLimit: z.number().int().positive().optional(),
  tmpfs: z.array(Tmpfs).optional(),
  /** What the machine keeps of what the container writes: so many files of so many MiB. */
  logging: z
    .strictObject({
      maxSize: z.number().int().min(1).max(1024).default(10),
      maxFiles: z.number().int().min(1).max(100).default(3),
    })
    .optional(),
} as const;

const shape = z.object(containerOptions);
export type ContainerOptions = z.infer<typeof shape>;

/** The options among what else a specification says. */
export const optionsOf = (spec: ContainerOptions): ContainerOptions => shape.parse(spec);
