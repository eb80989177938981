import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { registryHandler } from '../../shared/registry/registry.ts';
import { acceptEvent } from '../accept-event.ts';
import type { Services } from '../services.ts';

/** The registry of one invocation, which must have a durable client among its inputs: pushes start orchestrations. */
export const registryFor = (
  made: Services,
  context: InvocationContext,
): ((request: Request) => Promise<Response>) =>
  registryHandler({
    ...made.registry,
    onPushed: async (events) => {
      for (const event of events) await acceptEvent(made, df.getClient(context), event);
    },
    report: (error) => context.error('registry:', error),
  });
