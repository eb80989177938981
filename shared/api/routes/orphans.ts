import { z } from 'zod';
import { RESOURCE_KINDS } from '../../machines/cloud.ts';
import { route } from '../route.ts';

/** A resource in Azure that carries the tags of Berth and belongs to no machine. */
export const OrphanView = z.object({
  kind: z.enum([...RESOURCE_KINDS, 'image']),
  name: z.string(),
  /** As its tag says; empty for an image. */
  machine: z.string(),
  createdAt: z.iso.datetime().optional(),
  reason: z.string(),
  /** Too young to be sure: it may belong to what is just beginning. It is not removed. */
  spared: z.boolean(),
  /** US dollars per hour, if the size is known. */
  hourly: z.number().optional(),
});
export type OrphanView = z.infer<typeof OrphanView>;

export const listOrphans = route({
  name: 'list-orphans',
  method: 'GET',
  path: '/api/v1/orphans',
  permission: 'machines.read',
  summary: 'What interrupted runs left in Azure: resources of Berth that belong to no machine.',
  answer: z.object({ orphans: z.array(OrphanView) }),
});

export const removeAllOrphans = route({
  name: 'remove-orphans',
  method: 'DELETE',
  path: '/api/v1/orphans',
  permission: 'machines.operate',
  summary: 'Begins to remove them, without waiting for the sweep that does so every minute; young ones stay.',
  status: 202,
  answer: z.object({ orphans: z.array(OrphanView) }),
});
