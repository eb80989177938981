import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { commandEvent } from '../../shared/events/command-event.ts';
import { ORIGINAL_ID } from '../../shared/events/dead-letters.service-bus.azure.ts';
import { parseCommand } from '../../shared/events/parse-command.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { acceptEvent } from '../accept-event.ts';
import { services } from '../services.ts';

/**
 * Commands from the Service Bus queue. What cannot be carried out is thrown, so that the queue gives up after its
 * deliveries and keeps the message among its dead letters; why it was refused is recorded under its id.
 */
app.serviceBusQueue('service-bus-commands', {
  queueName: 'commands',
  connection: 'ServiceBus',
  autoCompleteMessages: true,
  extraInputs: [df.input.durableClient()],
  handler: async (message: unknown, context: InvocationContext) => {
    const made = services();
    const metadata = context.triggerMetadata ?? {};
    const messageId = String(metadata['messageId'] ?? '');
    try {
      const properties = metadata['applicationProperties'] as Record<string, unknown> | undefined;
      const command = parseCommand(message);
      const originalId = String(properties?.[ORIGINAL_ID] ?? messageId);
      await acceptEvent(
        made,
        df.getClient(context),
        commandEvent(command, 'queue/commands', originalId, made.now()),
      );
    } catch (error) {
      if (error instanceof Terminal) {
        const { code, message: text, remedy } = error;
        await made.refusals.record('queue/commands', messageId, {
          code,
          message: text,
          remedy,
          at: made.now().toISOString(),
        });
      }
      throw error;
    }
  },
});
