import { setTimeout as sleep } from 'node:timers/promises';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

app.setup({ enableHttpStream: true });

/** What one chain does: so many activities, one after the other, each with the text in and out. */
export interface Chain {
  readonly activities: number;
  readonly text: string;
  /** That each activity takes. */
  readonly milliseconds: number;
}

export interface Chains extends Chain {
  /** Their ids are `<prefix>-0`, `<prefix>-1`, … */
  readonly prefix: string;
  readonly count: number;
}

const chain: df.OrchestrationHandler = function* (context) {
  const { activities, text, milliseconds } = context.df.getInput() as Chain;
  for (let done = 0; done < activities; done += 1)
    yield context.df.callActivity('step', { text, milliseconds });
};
df.app.orchestration('chain', chain);

df.app.activity('step', {
  handler: async ({ text, milliseconds }: { text: string; milliseconds: number }) => {
    if (milliseconds > 0) await sleep(milliseconds);
    return text;
  },
});

/** Starts chains side by side, and answers when all have ended. */
app.http('chains', {
  route: 'chains',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const { prefix, count, ...input } = (await request.json()) as Chains;
    const ids = Array.from({ length: count }, (_none, index) => `${prefix}-${index}`);
    await Promise.all(ids.map((instanceId) => client.startNew('chain', { instanceId, input })));
    for (const id of ids) await completed(client, id);
    return { status: 204 };
  },
});

/** Asked seldom, since asking costs a read: when each ended stands in its row. */
async function completed(client: df.DurableClient, id: string): Promise<void> {
  for (;;) {
    const { runtimeStatus } = await client.getStatus(id);
    if (runtimeStatus === df.OrchestrationRuntimeStatus.Completed) return;
    if (runtimeStatus !== df.OrchestrationRuntimeStatus.Running)
      throw new Error(`orchestration ${id} is ${runtimeStatus}`);
    await sleep(250);
  }
}
