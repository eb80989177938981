import { z } from 'zod';
import { ContentName } from '../../model/files.ts';
import { MachineName } from '../../model/names.ts';
import { VolumeKey } from '../../model/volume-record.ts';
import { flag, inEnvironment, ofApplication } from '../parameters.ts';
import { route } from '../route.ts';

export const VolumeView = z.object({
  key: VolumeKey,
  machine: MachineName,
  /** `coming`: nothing was written yet. `gone`: its machine is, and what was written with it. */
  state: z.enum(['there', 'coming', 'gone']),
  createdAt: z.iso.datetime(),
  /** Replicas of its slot that have it now: `dev.shop.web/0.g1`. */
  usedBy: z.array(z.string()),
});
export type VolumeView = z.infer<typeof VolumeView>;

const list = '/api/v1/environments/{environment}/volumes' as const;

export const listVolumes = route({
  name: 'list-volumes',
  method: 'GET',
  path: list,
  permission: 'applications.read',
  summary:
    'Volumes of an environment, on which machine each is, and what uses it. They stay when services go.',
  params: inEnvironment,
  answer: z.object({ volumes: z.array(VolumeView) }),
});

export const deleteVolume = route({
  name: 'delete-volume',
  method: 'DELETE',
  path: `${list}/{application}/{volume}/{slot}`,
  permission: 'volumes.delete',
  summary:
    'Removes a volume with what was written to it. One that a replica has is refused; one whose machine does not answer, unless it is to be forgotten.',
  params: ofApplication.extend({
    volume: ContentName,
    slot: z.coerce.number().int().min(0).max(1_000),
  }),
  query: z.strictObject({ forget: flag.default(false) }),
  status: 204,
  answer: z.null(),
});
