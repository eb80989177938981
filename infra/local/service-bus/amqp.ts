import rhea, { type Typed } from 'rhea';

/** Parts of rhea that its own typings leave out. */
interface Encoding {
  Reader: new (buffer: Buffer) => { read(): Typed; position: number; remaining(): number };
  Writer: new () => { write(value: unknown): void; toBuffer(): Buffer };
}
interface Outcomes {
  accepted(): Composite;
  rejected(fields: { error: AmqpFault }): Composite;
}
interface Composite {
  described(): Typed;
}

/** Condition and description as AMQP errors carry them. */
export interface AmqpFault {
  readonly condition: string;
  readonly description: string;
}

/** A refusal that the peer is told in an outcome, a detach or a response. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly condition: string;
  /** As an HTTP status, for responses. */
  readonly status: number;

  constructor(status: number, condition: string, description: string) {
    super(description);
    this.status = status;
    this.condition = condition;
  }
}

const encoding = rhea.types as unknown as Encoding;
const outcomes = rhea.message as unknown as Outcomes;

export const types = rhea.types;
export const Reader = encoding.Reader;
export const accepted = (): Typed => outcomes.accepted().described();
export const rejected = (error: AmqpFault): Typed => outcomes.rejected({ error }).described();

export function encode(value: Typed): Buffer {
  const writer = new encoding.Writer();
  writer.write(value);
  return writer.toBuffer();
}

export function faultOf(error: unknown): AmqpFault & { readonly status: number } {
  if (error instanceof Refused)
    return { condition: error.condition, description: error.message, status: error.status };
  console.error('Service Bus:', error);
  return { condition: 'amqp:internal-error', description: String(error), status: 500 };
}
