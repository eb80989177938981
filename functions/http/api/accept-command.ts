import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { z } from 'zod';
import type { Accepted } from '../../../shared/api/accepted.ts';
import { commandEvent } from '../../../shared/events/command-event.ts';
import type { Command } from '../../../shared/model/command.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { acceptEvent } from '../../accept-event.ts';
import type { Services } from '../../services.ts';

/** https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header: printable ASCII. */
const IdempotencyKey = z.string().regex(/^[\x20-\x7e]{1,256}$/);

/**
 * A command that was validated becomes an event, is stored and answered.
 * @param location where its effect can be watched; a function is given the id of the event's first orchestration
 * @throws Terminal 400 `idempotency-key-invalid`; what acceptEvent throws
 */
export async function acceptCommand(
  call: { readonly request: HttpRequest; readonly context: InvocationContext; readonly services: Services },
  command: Command,
  location: string | ((instance: string) => string),
): Promise<Accepted> {
  const event = commandEvent(command, 'api', idOf(call.request), call.services.now());
  const { status, hash, instanceIds } = await acceptEvent(call.services, df.getClient(call.context), event);
  return {
    event: { source: event.source, id: event.id, hash },
    status,
    instances: [...instanceIds],
    location: typeof location === 'string' ? location : location(`ev-${hash}`),
  };
}

function idOf(request: HttpRequest): string {
  const given = request.headers.get('idempotency-key');
  if (given === null) return crypto.randomUUID();
  const parsed = IdempotencyKey.safeParse(given);
  if (!parsed.success)
    throw new Terminal({
      code: 'idempotency-key-invalid',
      message: 'The header Idempotency-Key must have 1 to 256 printable ASCII characters.',
      remedy: 'Send a UUID, the same one whenever you repeat the request.',
    });
  return parsed.data;
}
