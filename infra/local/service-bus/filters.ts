import { z } from 'zod';
import { Refused } from './amqp.ts';
import type { Described } from './message-sections.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Where the fields of a correlation filter stand among a message's properties. AMQP 1.0, section 3.2.4. */
const positions = {
  'correlation-id': 5,
  'message-id': 0,
  to: 2,
  'reply-to': 4,
  label: 3,
  'session-id': 10,
  'reply-to-session-id': 12,
  'content-type': 6,
} as const;
export type CorrelationField = keyof typeof positions;
/** In the order in which `$management` lists them. */
export const correlationFields = Object.keys(positions) as CorrelationField[];

const Correlation = z.object({
  kind: z.literal('correlation'),
  fields: z.partialRecord(z.enum(correlationFields), z.string()),
  properties: z.record(z.string(), Scalar),
});
const Filter = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('true') }),
  z.object({ kind: z.literal('false') }),
  Correlation,
]);
/** https://learn.microsoft.com/azure/service-bus-messaging/topic-filters */
export type Filter = z.infer<typeof Filter>;

export const parseStoredFilter = (json: string): Filter => Filter.parse(JSON.parse(json));

const AskedCorrelation = z.looseObject({
  ...Object.fromEntries(correlationFields.map((field) => [field, z.string().nullish()])),
  properties: z.record(z.string(), Scalar).nullish(),
});
const AskedFilter = z.union([
  z.object({ 'sql-filter': z.object({ expression: z.string() }) }),
  z.object({ 'correlation-filter': AskedCorrelation }),
]);

/** The filter in the rule description of `com.microsoft:add-rule`. @throws Refused for one that is not evaluated here */
export function filterAsked(description: unknown): Filter {
  const asked = AskedFilter.safeParse(description);
  if (!asked.success)
    throw new Refused(
      400,
      'com.microsoft:argument-error',
      'The rule has no filter, expected sql-filter or correlation-filter with strings, numbers and booleans.',
    );
  if ('sql-filter' in asked.data) return sqlFilter(asked.data['sql-filter'].expression);
  const given = asked.data['correlation-filter'];
  const fields = correlationFields.flatMap((field) => {
    const value: unknown = given[field];
    return typeof value === 'string' ? [[field, value] as const] : [];
  });
  const properties = given.properties ?? {};
  if (fields.length === 0 && Object.keys(properties).length === 0)
    throw new Refused(400, 'com.microsoft:argument-error', 'The correlation filter asks for nothing.');
  return { kind: 'correlation', fields: Object.fromEntries(fields), properties };
}

function sqlFilter(expression: string): Filter {
  const normal = expression.replace(/\s/g, '').toLowerCase();
  if (normal === '1=1' || normal === 'true') return { kind: 'true' };
  if (normal === '1=0' || normal === 'false') return { kind: 'false' };
  throw new Refused(
    501,
    'amqp:not-implemented',
    `This namespace evaluates no SQL filter but 1=1 and 1=0, not '${expression}': use a correlation filter.`,
  );
}

/** A correlation filter wants every one of its fields equal, letters and types included. */
export function matches(filter: Filter, message: Described): boolean {
  switch (filter.kind) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'correlation':
      return (
        Object.entries(filter.fields).every(
          ([field, value]) => message.properties[positions[field as CorrelationField]] === value,
        ) &&
        Object.entries(filter.properties).every(
          ([name, value]) => message.applicationProperties.get(name) === value,
        )
      );
  }
}
