import { randomUUID } from 'node:crypto';
import type { Tables } from '../../../../shared/state/tables.ts';
import type { Invoke } from '../core/invoke.ts';
import { type FunctionMetadata, returnedValue } from '../core/wire.ts';
import type { HostConfiguration } from '../host-json.ts';
import type { HostLog } from '../log.ts';
import { activities } from './activities.ts';
import { dispatcher } from './dispatch.ts';
import { type Engine, engine } from './engine.ts';
import { type Entities, entities } from './entities.ts';
import { type EntityStore, entityStore } from './entity-store.ts';
import { type DurableFunctions, durableFunctions } from './functions.ts';
import { hosts } from './hosts.ts';
import { type InstanceStore, instanceStore } from './instance-store.ts';
import type { LongTexts } from './long-text.ts';
import { sweep } from './sweep.ts';
import { Work } from './work.ts';

/** A task hub at work in this process. */
export interface Hub {
  readonly functions: DurableFunctions;
  readonly engine: Engine;
  readonly entities: Entities;
  readonly instances: InstanceStore;
  readonly entityStates: EntityStore;
  /** Ends what is under way and leaves the rest to the table. */
  close(): Promise<void>;
}

export interface HubParts {
  readonly tables: Tables;
  readonly texts: LongTexts;
  readonly functions: Iterable<FunctionMetadata>;
  readonly invoke: Invoke;
  readonly configuration: HostConfiguration['durableTask'];
  readonly log: HostLog;
}

/** Milliseconds: https://learn.microsoft.com/azure/durable-task/durable-functions/durable-functions-timers */
const maximumShortTimer = 6 * 86_400_000;
const longTimerInterval = 3 * 86_400_000;
const httpSleep = 30_000;
/** That activities under way get when the host stops. */
const grace = 10_000;

export async function openHub({
  tables,
  texts,
  functions,
  invoke,
  configuration,
  log,
}: HubParts): Promise<Hub> {
  const table = `${configuration.hubName}State`;
  const durable = durableFunctions(functions);
  const members = hosts(tables, `${configuration.hubName}Hosts`);
  const work = new Work();
  const instances = instanceStore(tables, table, texts, members.self);
  const entityStates = entityStore(tables, table, texts, members.self);
  let running: Engine;
  let entityEngine: Entities;
  const { dispatch, close: closeDispatch } = dispatcher({
    engine: () => running,
    entities: () => entityEngine,
    runActivity: activities(durable, invoke, log, configuration.maxConcurrentActivityFunctions),
    work,
    log,
  });
  running = engine({
    store: instances,
    work,
    log,
    dispatch,
    concurrency: configuration.maxConcurrentOrchestratorFunctions,
    turns: {
      maximumShortTimer,
      longTimerInterval,
      httpSleep,
      async run(name, binding) {
        const found = durable.orchestrator(name);
        if (found === undefined) throw new Error(`there is no orchestrator function '${name}'`);
        const inputs = [{ name: found.trigger, data: { string: binding } }];
        return returnedValue((await invoke(found.name, { inputs, id: randomUUID() })).returnValue);
      },
    },
  });
  entityEngine = entities({
    store: entityStates,
    functions: durable,
    invoke,
    work,
    dispatch,
    log,
    concurrency: configuration.maxConcurrentEntityFunctions,
  });
  await members.join();
  const stopSweep = sweep({
    tables,
    table,
    texts,
    hosts: members,
    work,
    dispatch,
    log,
    // From the table: what this host remembers may be older than the row, and what is owed would be thrown away.
    owed: async (id, row) => id.startsWith('@') || (await instances.load(id))?.obligations.has(row) === true,
  });
  return {
    functions: durable,
    engine: running,
    entities: entityEngine,
    instances,
    entityStates,
    async close() {
      await stopSweep();
      await closeDispatch(grace);
      work.close();
      await Promise.all([running.idle(), entityEngine.idle()]);
      await members.leave();
    },
  };
}
