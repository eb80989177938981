import { Terminal } from '../../model/errors.ts';
import type { Sink } from '../../model/subscription.ts';
import { refusalOf } from './sink.webhook.ts';

/**
 * @param all whether the caller administers all of the registry: topics and private addresses are more than some repositories
 * @throws Terminal 400 `sink-refused`, 403 `forbidden`
 */
export function allowedSink(sink: Sink, all: boolean): void {
  if (!all && (sink.kind === 'service-bus' || sink.allowPrivate || sink.allowHttp))
    throw new Terminal({
      code: 'forbidden',
      status: 403,
      message:
        'Topics of Service Bus, private addresses and plain http are for those who administer the whole registry.',
      remedy: 'Use a public https address, or ask an administrator.',
    });
  const refusal = sink.kind === 'webhook' ? refusalOf(sink) : undefined;
  if (refusal !== undefined)
    throw new Terminal({
      code: 'sink-refused',
      message: `Events cannot be sent there: ${refusal.why}.`,
      remedy: refusal.remedy,
    });
}
