import { z } from 'zod';

/** What a schema wraps: defaults and options are invisible to who writes a document. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    return unwrapped(schema.def.innerType);
  // A short form may stand for it.
  if (schema instanceof z.ZodPipe && schema.def.in instanceof z.ZodTransform)
    return unwrapped(schema.def.out);
  return schema;
}

/** The schema of what lies under `key`, and undefined if there is nothing. */
function below(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return inner.def.shape[String(key)];
  if (inner instanceof z.ZodRecord) return inner.def.valueType;
  if (inner instanceof z.ZodArray) return inner.def.element;
  return undefined;
}

/** The keys that an object schema knows at this path of a document; none where names are free or there is no object. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: z.core.$ZodType | undefined = schema;
  for (const key of path) at = at && below(at, key);
  const inner = at && unwrapped(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.def.shape) : [];
}
