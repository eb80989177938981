import { randomUUID } from 'node:crypto';
import type { Typed } from 'rhea';
import { encode, Reader, Refused, types } from './amqp.ts';

/** A message as its sections' bytes. What nobody rewrites is kept as the sender wrote it. */
export interface Sections {
  readonly header: Buffer | undefined;
  readonly annotations: Buffer | undefined;
  readonly properties: Buffer | undefined;
  readonly applicationProperties: Buffer | undefined;
  /** Body and footer. */
  readonly body: Buffer;
}

/** What the broker itself reads from a message that is sent to it. */
export interface Sent {
  readonly sections: Sections;
  /** With its type, since `1` and `"1"` differ; undefined if the message has no id. */
  readonly messageId: string | undefined;
  /** The group-id property; the id may be empty. */
  readonly sessionId: string | undefined;
  /** Milliseconds. */
  readonly timeToLive: number | undefined;
  /** Milliseconds since 1970. */
  readonly scheduledFor: number | undefined;
}

const codes = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  annotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
} as const;
/** Names that a section's descriptor may have instead of its number. AMQP 1.0, section 3.2. */
const symbols: Record<string, number> = {
  'amqp:header:list': codes.header,
  'amqp:delivery-annotations:map': codes.deliveryAnnotations,
  'amqp:message-annotations:map': codes.annotations,
  'amqp:properties:list': codes.properties,
  'amqp:application-properties:map': codes.applicationProperties,
};
/** What the bytes of a section are, for those read as a list or a map of typed values. */
type Fields = (Typed | null | undefined)[];

/** What filters see of a message. */
export interface Described {
  /** In the order of AMQP 1.0, section 3.2.4. */
  readonly properties: readonly unknown[];
  readonly applicationProperties: ReadonlyMap<string, unknown>;
}

export const describe = (sections: Sections): Described => ({
  properties: fieldsOf(sections.properties).map((field) => field?.value),
  applicationProperties: new Map(
    [...mapOf(sections.applicationProperties)].map(([name, typed]) => [name, typed.value]),
  ),
});

/** @throws Refused `amqp:decode-error` */
export function readMessage(raw: Buffer): Sent {
  try {
    const sections = split(raw);
    const header = fieldsOf(sections.header);
    const properties = fieldsOf(sections.properties);
    const messageId = identity(properties[0]);
    const scheduled = mapOf(sections.annotations).get('x-opt-scheduled-enqueue-time');
    return {
      sections: messageId === undefined ? identified(sections) : sections,
      messageId,
      sessionId: textOf(properties[10]),
      timeToLive: numberOf(header[2]),
      scheduledFor: scheduled === undefined ? undefined : Number(scheduled.value),
    };
  } catch (error) {
    throw new Refused(400, 'amqp:decode-error', `The message is no AMQP message: ${String(error)}`);
  }
}

/** The broker gives a message without an id one; clients that renew locks want it. */
function identified(sections: Sections): Sections {
  const [, ...rest] = fieldsOf(sections.properties);
  const id = types.wrap_string(randomUUID().replaceAll('-', ''));
  return { ...sections, properties: section(codes.properties, types.wrap_list([id, ...rest])) };
}

/** The messages in one of format 0x80013700: its data sections hold one each. */
export function readBatch(raw: Buffer): Sent[] {
  const reader = new Reader(raw);
  const messages: Sent[] = [];
  while (reader.remaining() > 0) {
    const section = reader.read();
    if (codeOf(section) === 0x75) messages.push(readMessage(section.value));
  }
  if (messages.length === 0) throw new Refused(400, 'amqp:decode-error', 'The batch holds no message.');
  return messages;
}

function split(raw: Buffer): Sections {
  const found = new Map<number, Buffer>();
  const body: Buffer[] = [];
  const reader = new Reader(raw);
  while (reader.remaining() > 0) {
    const start = reader.position;
    const code = codeOf(reader.read());
    const bytes = raw.subarray(start, reader.position);
    if (code < codes.header || code > 0x78) throw new Error(`unknown section ${code}`);
    if (code <= codes.applicationProperties) found.set(code, bytes);
    else body.push(bytes);
  }
  if (body.length === 0) throw new Error('it has no body');
  return {
    header: found.get(codes.header),
    annotations: found.get(codes.annotations),
    properties: found.get(codes.properties),
    applicationProperties: found.get(codes.applicationProperties),
    body: Buffer.concat(body),
  };
}

/** Annotations that the broker adds when it delivers. */
export interface Stamp {
  readonly deliveryCount: number;
  readonly annotations: Readonly<Record<string, Typed>>;
}

/** The message as it is delivered. */
export function writeMessage(sections: Sections, { deliveryCount, annotations }: Stamp): Buffer {
  const header = [...fieldsOf(sections.header)];
  while (header.length < 5) header.push(null);
  header[4] = types.wrap_uint(deliveryCount);
  const merged = new Map([...mapOf(sections.annotations), ...Object.entries(annotations)]);
  return Buffer.concat([
    section(codes.header, types.wrap_list(header)),
    mapSection(codes.annotations, merged, types.wrap_symbol),
    sections.properties ?? Buffer.alloc(0),
    sections.applicationProperties ?? Buffer.alloc(0),
    sections.body,
  ]);
}

/** The application properties with these set; null and undefined change nothing. */
export function withProperties(
  applicationProperties: Buffer | undefined,
  changes: Readonly<Record<string, unknown>>,
): Buffer | undefined {
  const given = Object.entries(changes).filter(([, value]) => value !== null && value !== undefined);
  if (given.length === 0) return applicationProperties;
  const merged = mapOf(applicationProperties);
  for (const [name, value] of given) merged.set(name, types.wrap(value));
  return mapSection(codes.applicationProperties, merged, types.wrap_string);
}

function section(code: number, value: Typed): Buffer {
  return encode(types.described(types.wrap_ulong(code), value));
}

function mapSection(code: number, map: ReadonlyMap<string, Typed>, key: (name: string) => Typed): Buffer {
  return section(code, types.wrap_map(Object.fromEntries(map), key));
}

const codeOf = ({ descriptor }: Typed): number => {
  const value: unknown = descriptor?.value;
  return typeof value === 'number'
    ? value
    : (symbols[String(value)] ?? (String(value) === 'amqp:data:binary' ? 0x75 : Number.NaN));
};

const fieldsOf = (bytes: Buffer | undefined): Fields =>
  bytes === undefined ? [] : (new Reader(bytes).read().value as Fields);

function mapOf(bytes: Buffer | undefined): Map<string, Typed> {
  const values = fieldsOf(bytes);
  const map = new Map<string, Typed>();
  for (let at = 0; at + 1 < values.length; at += 2) {
    const [key, value] = [values[at], values[at + 1]];
    if (key && value) map.set(String(key.value), value);
  }
  return map;
}

const numberOf = (value: Typed | null | undefined): number | undefined =>
  typeof value?.value === 'number' ? value.value : undefined;

const textOf = (value: Typed | null | undefined): string | undefined =>
  typeof value?.value === 'string' ? value.value : undefined;

function identity(value: Typed | null | undefined): string | undefined {
  if (value === null || value === undefined || value.value === null || value.value === undefined)
    return undefined;
  const text = Buffer.isBuffer(value.value) ? value.value.toString('hex') : String(value.value);
  return text === '' ? undefined : `${typeof value.value}:${text}`;
}
