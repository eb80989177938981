import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { commandEvent } from '../../shared/events/command-event.ts';
import { parseCommand } from '../../shared/events/parse-command.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { acceptEvent } from '../accept-event.ts';
import { services } from '../services.ts';

/** Commands from the storage queue. What can never be carried out goes to its poison queue at once, with the reason. */
app.storageQueue('storage-commands', {
  queueName: 'commands',
  connection: 'AzureWebJobsStorage',
  extraInputs: [df.input.durableClient()],
  handler: async (message: unknown, context: InvocationContext) => {
    const made = services();
    try {
      const id = String(context.triggerMetadata?.['id'] ?? '');
      const command = parseCommand(message);
      await acceptEvent(
        made,
        df.getClient(context),
        commandEvent(command, 'storage-queue/commands', id, made.now()),
      );
    } catch (error) {
      if (!(error instanceof Terminal)) throw error;
      const { code, message: text, remedy } = error;
      const body = typeof message === 'string' ? message : JSON.stringify(message);
      const { messageId } = await made.poison.put(body);
      await made.refusals.record('storage-queue/commands', messageId, {
        code,
        message: text,
        remedy,
        at: made.now().toISOString(),
      });
    }
  },
});
