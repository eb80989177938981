import { randomUUID } from 'node:crypto';
import type { Value, Values } from '../../../../shared/state/tables.ts';

/** Texts too large for a row. */
export interface LongTexts {
  put(name: string, text: string): Promise<void>;
  /** @throws Error if there is none */
  get(name: string): Promise<string>;
  /** Whatever was put under names beginning so. */
  deleteAll(prefix: string): Promise<void>;
}

/** Characters: a property holds 64 KiB of UTF-16, a transaction 4 MiB. */
const property = 32_000;
const inRow = 3 * property;

/** Splits a text over properties `<name>0`, `<name>1`, …, or puts it outside the row. Null gives no property. */
export async function packText(
  texts: LongTexts,
  folder: string,
  name: string,
  text: string | null,
): Promise<Record<string, Value>> {
  if (text === null) return {};
  if (text.length > inRow) {
    const blob = `${folder}/${randomUUID()}`;
    await texts.put(blob, text);
    return { [`${name}Blob`]: blob };
  }
  const values: Record<string, Value> = { [`${name}0`]: text.slice(0, property) };
  for (let at = property, index = 1; at < text.length; at += property, index += 1)
    values[`${name}${index}`] = text.slice(at, at + property);
  return values;
}

export async function unpackText(texts: LongTexts, values: Values, name: string): Promise<string | null> {
  const blob = values[`${name}Blob`];
  if (typeof blob === 'string') return await texts.get(blob);
  if (values[`${name}0`] === undefined) return null;
  let text = '';
  for (let index = 0; ; index += 1) {
    const part = values[`${name}${index}`];
    if (part === undefined) return text;
    text += String(part);
  }
}
