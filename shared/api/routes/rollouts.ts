import { z } from 'zod';
import { Accepted } from '../accepted.ts';
import { ofService } from '../parameters.ts';
import { route } from '../route.ts';

const one = '/api/v1/environments/{environment}/services/{application}/{service}/rollout' as const;

export const pauseRollout = route({
  name: 'pause-rollout',
  method: 'POST',
  path: `${one}/pause`,
  permission: 'applications.write',
  summary: 'Lets a rollout stand where it is until it is resumed; what dies is made anew.',
  params: ofService,
  status: 202,
  answer: Accepted,
});

export const resumeRollout = route({
  name: 'resume-rollout',
  method: 'POST',
  path: `${one}/resume`,
  permission: 'applications.write',
  summary: "Lets a paused rollout go on; a canary's step, or the time to bake, is over with it.",
  params: ofService,
  status: 202,
  answer: Accepted,
});

export const abortRollout = route({
  name: 'abort-rollout',
  method: 'POST',
  path: `${one}/abort`,
  permission: 'applications.write',
  summary: 'Ends a rollout: back to the revision that was healthy before.',
  params: ofService,
  status: 202,
  answer: Accepted,
});

export const undoRollout = route({
  name: 'undo-rollout',
  method: 'POST',
  path: `${one}/undo`,
  permission: 'applications.write',
  summary: 'Goes back to the revision before, or to a named one, as a rollout of its own.',
  params: ofService,
  body: { schema: z.strictObject({ revision: z.number().int().positive().optional() }) },
  status: 202,
  answer: Accepted,
});
