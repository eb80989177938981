import { appendFileSync } from 'node:fs';
import { app } from '@azure/functions';

const note = (line: unknown) => appendFileSync(process.env.TEST_NOTES ?? '', `${JSON.stringify(line)}\n`);

app.storageQueue('fromQueue', {
  queueName: 'incoming',
  connection: 'AzureWebJobsStorage',
  handler: async (message, context) => {
    note({ queue: message, try: context.triggerMetadata?.dequeueCount });
    if ((message as { fail?: boolean }).fail === true) throw new Error('this message cannot be read');
  },
});

app.timer('everySecond', {
  schedule: '* * * * * *',
  handler: async (timer) => {
    note({ timer: timer.isPastDue });
  },
});

if (process.env.ServiceBus__fullyQualifiedNamespace !== undefined)
  app.serviceBusQueue('fromServiceBus', {
    queueName: 'commands',
    connection: 'ServiceBus',
    autoCompleteMessages: true,
    handler: async (message, context) => {
      const { deliveryCount, messageId, applicationProperties } = context.triggerMetadata ?? {};
      note({ bus: message, delivery: deliveryCount, id: messageId, properties: applicationProperties });
      if ((message as { fail?: boolean }).fail === true) throw new Error('this message cannot be read');
    },
  });

if (process.env.TEST_SESSIONS !== undefined)
  app.serviceBusTopic('fromSessions', {
    topicName: 'events',
    subscriptionName: 'ordered',
    connection: 'ServiceBus',
    isSessionsEnabled: true,
    handler: async (message, context) => {
      const { deliveryCount, sessionId } = context.triggerMetadata ?? {};
      const { number, failures = 0 } = message as { number: number; failures?: number };
      const fails = Number(deliveryCount) <= failures;
      note({ session: sessionId, number, delivery: deliveryCount, fails });
      // Another message of the session may not come meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 5));
      note({ session: sessionId, ended: number });
      if (fails) throw new Error('not yet');
    },
  });
