import { z } from 'zod';

const lockSet = z.array(z.object({ name: z.string(), key: z.string() })).min(1);

const Operation = z.object({
  kind: z.literal('operation').default('operation'),
  op: z.string(),
  signal: z.boolean().default(false),
  /** JSON text. */
  input: z.string().optional(),
  id: z.string(),
  parent: z.string().optional(),
  parentExecution: z.string().optional(),
});

const Lock = z.object({
  kind: z.literal('lock').default('lock'),
  lockset: lockSet,
  pos: z.number().int(),
  id: z.string(),
  parent: z.string(),
  parentExecution: z.string(),
});

/** What an entity is asked: Azure/durabletask, src/DurableTask.Core/Entities/EventFormat/RequestMessage.cs */
export const EntityRequest = z.union([Lock, Operation]);
export type EntityRequest = z.infer<typeof EntityRequest>;
export type Operation = z.infer<typeof Operation>;
export type Lock = z.infer<typeof Lock>;

/** The orchestration gives its lock back. */
export const Release = z.object({ parent: z.string(), id: z.string() });

/** What the entity function returns for a batch: Azure/azure-functions-durable-js, src/entities/EntityState.ts */
export const BatchResult = z.looseObject({
  entityExists: z.boolean(),
  entityState: z.string().nullish(),
  results: z.array(z.looseObject({ isError: z.boolean(), result: z.string().nullish() })),
  signals: z.array(
    z.looseObject({
      target: z.looseObject({ name: z.string(), key: z.string() }),
      name: z.string(),
      input: z.string().nullish(),
    }),
  ),
});
export type BatchResult = z.infer<typeof BatchResult>;
