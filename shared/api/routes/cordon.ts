import { z } from 'zod';
import { Machine } from '../../model/machine.ts';
import { ofMachine } from '../parameters.ts';
import { route } from '../route.ts';

const machine = z.object({ machine: Machine });

export const cordonMachine = route({
  name: 'cordon-machine',
  method: 'PUT',
  path: '/api/v1/machines/{machine}/cordon',
  permission: 'machines.operate',
  summary:
    'Lets nothing more be placed on a machine of a pool; with `drain` its replicas start elsewhere, then end there. `cordon` of the machine tells how it stands.',
  params: ofMachine,
  body: {
    schema: z.strictObject({
      reason: z.string().min(1).max(200).default('asked for'),
      drain: z.boolean().default(false),
      /** Seconds that runs of jobs may take to end; then they are stopped. */
      timeout: z.number().int().min(0).max(604_800).optional(),
    }),
  },
  answer: machine,
});

export const evictMachine = route({
  name: 'evict-machine',
  method: 'POST',
  path: '/api/v1/machines/{machine}/evict',
  permission: 'machines.operate',
  summary:
    'Has Azure take back a spot machine, as it may at any time: announced to the machine, drained, gone after 30 seconds.',
  params: ofMachine,
  status: 202,
  answer: machine,
});

export const uncordonMachine = route({
  name: 'uncordon-machine',
  method: 'DELETE',
  path: '/api/v1/machines/{machine}/cordon',
  permission: 'machines.operate',
  summary: 'Lets replicas be placed on a machine again; a removal that drains it is called off.',
  params: ofMachine,
  answer: machine,
});
