import { type FunctionMetadata, triggerOf } from '../core/wire.ts';

export interface DurableFunction {
  readonly name: string;
  /** Name of its trigger's binding. */
  readonly trigger: string;
}

/** The app's durable functions by name, without case. */
export interface DurableFunctions {
  orchestrator(name: string): DurableFunction | undefined;
  activity(name: string): DurableFunction | undefined;
  entity(name: string): DurableFunction | undefined;
}

export function durableFunctions(all: Iterable<FunctionMetadata>): DurableFunctions {
  const byType = new Map<string, DurableFunction>();
  for (const metadata of all) {
    const trigger = triggerOf(metadata);
    byType.set(`${trigger.type}/${metadata.name.toLowerCase()}`, {
      name: metadata.name,
      trigger: trigger.name,
    });
  }
  const find = (type: string) => (name: string) => byType.get(`${type}/${name.toLowerCase()}`);
  return {
    orchestrator: find('orchestrationTrigger'),
    activity: find('activityTrigger'),
    entity: find('entityTrigger'),
  };
}
