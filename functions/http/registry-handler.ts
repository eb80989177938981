import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { registryHandler } from '../../shared/registry/registry.ts';
import { takeOver } from '../registry.ts';
import type { Services } from '../services.ts';

/** The registry of one invocation, which must have a durable client among its inputs: pushes start orchestrations. */
export const registryFor = (
  made: Services,
  context: InvocationContext,
): ((request: Request) => Promise<Response>) =>
  registryHandler({
    ...made.registry,
    onActivity: (heard) => takeOver(made, df.getClient(context), heard),
    report: (error) => context.error('registry:', error),
  });
