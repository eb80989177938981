import type { Documents, Located, Schema } from './documents.ts';

export interface Complaint {
  /** properties.hardwareProfile.vmSize */
  readonly at: string;
  readonly message: string;
}

/**
 * Checks a request body as Azure reads it: read-only members are ignored, `null` stands for absent, enumerations are
 * compared without regard to case and open where the document says so, formats are not checked. The documents are
 * walked along the body, so that one body costs microseconds and nothing is compiled.
 * @param strict also refuse members that no schema names
 * @returns the first complaint, or undefined
 */
export function validate(
  documents: Documents,
  located: Located,
  body: unknown,
  strict: boolean,
): Complaint | undefined {
  return check(located, body, '');

  function check(unresolved: Located, value: unknown, at: string): Complaint | undefined {
    const { schema, file } = documents.resolve(unresolved);
    if (value === null || value === undefined || schema.readOnly === true) return undefined;
    const members = memberSchemas(documents, { schema, file });
    const type = schema.type ?? (members.size > 0 ? 'object' : undefined);
    if (type === 'object') return checkObject({ schema, file }, members, value, at);
    if (type === 'array') return checkArray({ schema, file }, value, at);
    return checkScalar(schema, type, value, at);
  }

  function checkObject(
    { schema, file }: Located,
    members: ReadonlyMap<string, Located>,
    value: unknown,
    at: string,
  ): Complaint | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { at, message: `expected an object, found ${describe(value)}` };
    const found = value as Record<string, unknown>;
    for (const name of requiredMembers(documents, { schema, file })) {
      const member = members.get(name);
      if (member !== undefined && documents.resolve(member).schema.readOnly !== true && found[name] == null)
        return { at: join(at, name), message: `Required property '${name}' not found in JSON` };
    }
    const extra = schema.additionalProperties;
    for (const [name, inner] of Object.entries(found)) {
      const member = members.get(name);
      if (member !== undefined) {
        if (member.schema.readOnly === true) continue;
        const complaint = check(member, inner, join(at, name));
        if (complaint !== undefined) return complaint;
      } else if (typeof extra === 'object') {
        const complaint = check({ schema: extra, file }, inner, join(at, name));
        if (complaint !== undefined) return complaint;
      } else if (strict && members.size > 0 && extra !== true)
        return { at: join(at, name), message: `Could not find member '${name}' on object` };
    }
    return undefined;
  }

  function checkArray({ schema, file }: Located, value: unknown, at: string): Complaint | undefined {
    if (!Array.isArray(value)) return { at, message: `expected an array, found ${describe(value)}` };
    if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY))
      return {
        at,
        message: `expected ${schema.minItems ?? 0} to ${schema.maxItems ?? 'any number of'} items, found ${value.length}`,
      };
    if (schema.items === undefined) return undefined;
    for (const [index, item] of value.entries()) {
      const complaint = check({ schema: schema.items, file }, item, `${at}[${index}]`);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  }
}

function checkScalar(
  schema: Schema,
  type: string | undefined,
  value: unknown,
  at: string,
): Complaint | undefined {
  const wrong = (expected: string): Complaint => ({
    at,
    message: `expected ${expected}, found ${describe(value)}`,
  });
  if (type === 'string' && typeof value !== 'string') return wrong('a string');
  if (type === 'boolean' && typeof value !== 'boolean') return wrong('true or false');
  if (type === 'number' && typeof value !== 'number') return wrong('a number');
  if (type === 'integer' && !Number.isInteger(value)) return wrong('an integer');
  if (typeof value === 'string') {
    const closed = schema.enum !== undefined && schema['x-ms-enum']?.modelAsString !== true;
    const known = schema.enum?.some((one) => String(one).toLowerCase() === value.toLowerCase());
    if (closed && known !== true) return wrong(`one of ${schema.enum?.join(', ')}`);
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      return wrong(`text that fits ${schema.pattern}`);
    if (value.length < (schema.minLength ?? 0)) return wrong(`at least ${schema.minLength} characters`);
    if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
      return wrong(`at most ${schema.maxLength} characters`);
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? Number.NEGATIVE_INFINITY)) return wrong(`at least ${schema.minimum}`);
    if (value > (schema.maximum ?? Number.POSITIVE_INFINITY)) return wrong(`at most ${schema.maximum}`);
  }
  return undefined;
}

/** Members of a schema and of those that it extends. */
function memberSchemas(documents: Documents, located: Located): ReadonlyMap<string, Located> {
  const { schema, file } = documents.resolve(located);
  const members = new Map<string, Located>();
  for (const base of schema.allOf ?? [])
    for (const [name, member] of memberSchemas(documents, { schema: base, file })) members.set(name, member);
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    members.set(name, { schema: member, file });
  return members;
}

function requiredMembers(documents: Documents, located: Located): readonly string[] {
  const { schema, file } = documents.resolve(located);
  return [
    ...(schema.required ?? []),
    ...(schema.allOf ?? []).flatMap((base) => requiredMembers(documents, { schema: base, file })),
  ];
}

const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

const describe = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};
