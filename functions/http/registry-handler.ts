import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { RegistryDeps } from '../../shared/registry/call.ts';
import { registryHandler } from '../../shared/registry/registry.ts';
import { takeOver } from '../registry.ts';
import type { Services } from '../services.ts';

/** What the registry is made of in one invocation, which must have a durable client among its inputs: pushes start orchestrations. */
export const registryOf = (made: Services, context: InvocationContext): RegistryDeps => ({
  ...made.registry,
  onActivity: (heard) => takeOver(made, df.getClient(context), heard),
  report: (error) => context.error('registry:', error),
});

/** The registry of one invocation. */
export const registryFor = (
  made: Services,
  context: InvocationContext,
): ((request: Request) => Promise<Response>) => registryHandler(registryOf(made, context));
