import { z } from 'zod';
import { RepositoryName } from './image.ts';
import { signature } from './signature.ts';

/** Kinds of care that go through the registry from end to end. One of each kind is under way at a time. */
export const CareKind = z.enum(['gc', 'retention']);
export type CareKind = z.infer<typeof CareKind>;

/** Instance of the orchestration that carries the runs of a kind. */
export const careInstance = (kind: CareKind): string => `registry-${kind}`;

/** One thing that a run removed, or would remove. */
export const Finding = z.object({
  what: z.enum(['tag', 'image', 'upload', 'deleted', 'link', 'manifest', 'blob', 'data']),
  /** Repository, with `:tag` or `@digest`; of what belongs to none, its digest or id. */
  name: z.string(),
  /** Bytes of its own in storage, or that go with it. */
  bytes: z.number().nonnegative(),
  why: z.string(),
  /** `later`: it is marked, and goes with a later run. */
  goes: z.enum(['now', 'later']),
});
export type Finding = z.infer<typeof Finding>;

export const CareTotals = z.object({
  found: z.number().int().nonnegative(),
  /** Bytes of storage that are free now, or would be. */
  freed: z.number().nonnegative(),
  /** Bytes that a later run frees. */
  later: z.number().nonnegative(),
});
export type CareTotals = z.infer<typeof CareTotals>;

export const nothingFound: CareTotals = { found: 0, freed: 0, later: 0 };

export const addTotals = (a: CareTotals, b: CareTotals): CareTotals => ({
  found: a.found + b.found,
  freed: a.freed + b.freed,
  later: a.later + b.later,
});

/** What stays the same from page to page. */
export const CareOrder = z.object({
  /** Unique; sorts by when it began. */
  run: z.string(),
  kind: CareKind,
  dryRun: z.boolean(),
  /** Who asked for it: a principal's id, or `timer`. */
  by: z.string(),
  /** RFC 3339. Ages are those at this time, however long it takes. */
  startedAt: z.iso.datetime(),
  /** Of retention: only this repository. */
  repository: RepositoryName.optional(),
});
export type CareOrder = z.infer<typeof CareOrder>;

/** A run as it is kept. */
export const CareRun = CareOrder.extend({
  state: z.enum(['going', 'done', 'failed']),
  endedAt: z.iso.datetime().optional(),
  /** Why it failed. */
  reason: z.string().optional(),
  totals: CareTotals,
});
export type CareRun = z.infer<typeof CareRun>;

/** What each kind goes through, in this order. */
export const phasesOf = {
  gc: [
    'expire-uploads',
    'expire-deleted',
    'mark-manifests',
    'mark-deleted',
    'sweep-links',
    'sweep-manifests',
    'mark-uploads',
    'sweep-blobs',
    'sweep-data',
    'forget-marks',
  ],
  retention: ['retain'],
} as const satisfies Record<CareKind, readonly string[]>;
export const CarePhase = z.enum([...phasesOf.gc, ...phasesOf.retention]);
export type CarePhase = z.infer<typeof CarePhase>;

/** One page of a phase; `cursor` is what the page before gave. */
export const CarePage = z.object({
  order: CareOrder,
  phase: CarePhase,
  cursor: z.string().optional(),
  /** Pages of this run before this one: where its findings are kept. */
  page: z.number().int().nonnegative(),
});
export type CarePage = z.infer<typeof CarePage>;

/** Where a run stands: the phase's number, and where in it. */
export const CareProgress = z.object({
  order: CareOrder,
  phase: z.number().int().nonnegative(),
  cursor: z.string().optional(),
  page: z.number().int().nonnegative(),
  totals: CareTotals,
});
export type CareProgress = z.infer<typeof CareProgress>;

export const careForRegistry = signature('care-for-registry', {
  input: CareProgress,
  output: z.custom<CareRun>(),
});

export const careForPage = signature('care-for-page', {
  input: CarePage,
  output: z.object({ cursor: z.string().optional(), totals: CareTotals }),
});

export const endCare = signature('end-care', { input: CareRun, output: z.null() });
