import { z } from 'zod';

/** A number of replicas, or a share of them: `25%`. */
const Amount = z.union(
  [
    z.number().int().min(0).max(1000),
    z
      .string()
      .regex(/^(100|[1-9]?\d) ?%$/)
      .transform((text) => `${Number.parseInt(text, 10)}%`),
  ],
  'expected a number of replicas, or a share of them such as 25%',
);
export type Amount = z.infer<typeof Amount>;

const CanaryStep = z.strictObject({
  /** Share of the replicas that are new in this step; percent, rounded up. */
  percent: z.number().int().min(1).max(100),
  /** Seconds until the next step, or until somebody resumes the rollout. */
  pause: z.union(
    [z.number().min(0).max(604_800), z.literal('until-resumed')],
    'expected a number of seconds, or until-resumed',
  ),
});

/** When so many starts have failed that the rollout fails; without it the first one ends it. */
const Breaker = z.strictObject({
  /** Of the wanted replicas. */
  percent: z.number().int().min(1).max(100).default(50),
  least: z.number().int().min(1).max(1000).default(3),
  most: z.number().int().min(1).max(1000).default(200),
});

/** How a service goes from one revision to the next. */
export const RolloutPolicy = z
  .strictObject({
    /**
     * `rolling`: new ones start as far as `surge` lets, old ones go as far as `unavailable` lets. `blue-green`: all new ones
     * beside the old ones, requests go over at once, and old ones stay for `bake`. `canary`: a share at a time.
     */
    strategy: z.enum(['rolling', 'blue-green', 'canary']).default('rolling'),
    /** More than the wanted replicas at a time, rounded up; absent: as many as there are. */
    surge: Amount.optional(),
    /** Fewer than the wanted replicas at a time, rounded down. */
    unavailable: Amount.default(0),
    /** Of a canary. */
    steps: z.array(CanaryStep).min(1).max(20).optional(),
    /** Seconds for the whole rollout, without the time that it is paused by somebody or until resumed. */
    deadline: z.number().positive().max(604_800).optional(),
    breaker: Breaker.optional(),
    /** `roll-back`: to the revision that was healthy before. `stop`: everything stays as it stands. */
    onFailure: z.enum(['roll-back', 'stop']).default('roll-back'),
    /** Seconds after the last replica is healthy in which a failure of the new revision still fails the rollout. */
    bake: z.number().min(0).max(604_800).default(0),
  })
  .superRefine((policy, context) => {
    const refuse = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const { strategy, surge, unavailable, steps, deadline, bake, breaker } = policy;
    if (strategy === 'canary' && steps === undefined)
      refuse('steps', 'a canary needs steps, for example [{percent: 10, pause: 60}]');
    if (strategy !== 'canary' && steps !== undefined)
      refuse('steps', `only a canary has steps, and the strategy is ${strategy}`);
    if (strategy === 'blue-green' && (surge !== undefined || !isNone(unavailable)))
      refuse(
        surge === undefined ? 'unavailable' : 'surge',
        'blue-green starts all new replicas beside all old ones: expected surge and unavailable with strategy rolling or canary',
      );
    if (surge !== undefined && isNone(surge) && isNone(unavailable))
      refuse('surge', 'with neither surge nor unavailable no replica may start and none may stop');
    for (const [index, step] of (steps ?? []).entries())
      if (index > 0 && step.percent <= (steps?.[index - 1]?.percent ?? 0))
        refuse(
          'steps',
          `expected growing shares, not ${step.percent} % after ${steps?.[index - 1]?.percent} %`,
        );
    const waits = (steps ?? []).reduce(
      (sum, { pause }) => sum + (typeof pause === 'number' ? pause : 0),
      bake,
    );
    if (deadline !== undefined && deadline <= waits)
      refuse('deadline', `expected more than the ${waits} s that pauses and bake take alone`);
    if (breaker !== undefined && breaker.least > breaker.most)
      refuse('breaker', `expected least to be at most most (${breaker.least} and ${breaker.most})`);
  });
export type RolloutPolicy = z.infer<typeof RolloutPolicy>;

const isNone = (amount: Amount): boolean => amount === 0 || amount === '0%';

/** Whether a container that ended is made anew: always, after an exit code other than 0, or never. */
export const RestartPolicy = z.enum(['always', 'on-failure', 'never']);
export type RestartPolicy = z.infer<typeof RestartPolicy>;
