import rhea, { type Connection, type Sender } from 'rhea';
import { types } from './amqp.ts';

/** How `$cbs` and `$management` name what they answer with. */
const names = {
  claims: { status: 'status-code', description: 'status-description', condition: 'error-condition' },
  management: { status: 'statusCode', description: 'statusDescription', condition: 'errorCondition' },
} as const;

/** A request as rhea decodes it. */
export interface Request {
  readonly message_id?: unknown;
  readonly correlation_id?: unknown;
  readonly reply_to?: unknown;
  readonly application_properties?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface Response {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: Record<string, unknown>;
}

/** The links of a connection on which requests are answered: each by the address, or the name, that `reply-to` says. */
export function responder(connection: Connection) {
  const links = new Map<string, Sender>();
  return {
    add(link: Sender): void {
      for (const key of [link.target?.address, link.name]) if (typeof key === 'string') links.set(key, link);
      link.once('sender_close', () => {
        for (const [key, value] of links) if (value === link) links.delete(key);
      });
    },
    answer(kind: keyof typeof names, request: Request, response: Response): void {
      const link = links.get(String(request.reply_to));
      if (link === undefined || !connection.is_open()) return;
      const { status, description, condition } = names[kind];
      const bytes = rhea.message.encode({
        correlation_id: request.correlation_id ?? request.message_id,
        application_properties: {
          [status]: types.wrap_int(response.status),
          [description]: response.description,
          ...(response.condition === undefined ? {} : { [condition]: types.wrap_symbol(response.condition) }),
        },
        body: response.body ?? {},
      });
      const delivery = link.send(bytes, undefined, 0);
      // Nobody waits for an outcome: settled from the start, it is forgotten when sent.
      (delivery as { settled: boolean }).settled = true;
    },
  };
}
