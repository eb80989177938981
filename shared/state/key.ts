/**
 * Makes any text a legal table key: everything but letters, digits, `.`, `_`, `-`, `!`, `~`, `@` and `:` becomes `=` and
 * two hex digits for each UTF-8 byte. Different texts give different keys.
 * https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
 */
export function tableKey(text: string): string {
  return text.replace(/[^A-Za-z0-9._\-!~@:]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
}

/** Numbers as keys that sort as numbers do: 10 digits. */
export const numberKey = (number: number): string => String(number).padStart(10, '0');
