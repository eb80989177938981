import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

/** Part of a Swagger 2.0 schema that request bodies need. https://swagger.io/specification/v2/#schema-object */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly unknown[];
  readonly 'x-ms-enum'?: { readonly modelAsString?: boolean };
  readonly readOnly?: boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A schema and the document whose relative references it uses. */
export interface Located {
  readonly schema: Schema;
  readonly file: string;
}

const Operations = z.array(
  z.object({ method: z.string(), path: z.string(), apiVersion: z.string(), document: z.string() }),
);

interface Documented {
  readonly pattern: RegExp;
  readonly path: string;
  readonly apiVersion: string;
  readonly file: string;
  readonly method: string;
}

type Parameter = { readonly in?: string; readonly $ref?: string; readonly schema?: Schema };
type Document = {
  readonly paths?: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly Parameter[] }>>>
  >;
};

/** Azure's API documents of a folder, each read when it is first needed. */
export function documents(folder: string) {
  const operations = Operations.parse(JSON.parse(readFileSync(join(folder, 'operations.json'), 'utf8'))).map(
    ({ method, path, apiVersion, document }): Documented => ({
      method,
      path,
      apiVersion,
      file: resolve(folder, document),
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`, 'i'),
    }),
  );
  const read = new Map<string, unknown>();
  const load = (file: string): unknown => {
    if (!read.has(file)) read.set(file, JSON.parse(readFileSync(file, 'utf8')));
    return read.get(file);
  };
  function follow(reference: string, from: string): { value: unknown; file: string } {
    const [name = '', pointer = ''] = reference.split('#');
    const file = name === '' ? from : resolve(dirname(from), name);
    let value = load(file);
    for (const key of pointer.split('/').slice(1))
      value = (value as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')];
    if (value === undefined) throw new Error(`${reference} in ${from} leads nowhere`);
    return { value, file };
  }
  return {
    /** The schema of a request's body; undefined where no document has the operation or it takes none. */
    body(method: string, path: string): (Located & { readonly apiVersion: string }) | undefined {
      const found = operations.find(
        (operation) => operation.method === method && operation.pattern.test(path),
      );
      if (found === undefined) return undefined;
      const document = load(found.file) as Document;
      for (const parameter of document.paths?.[found.path]?.[method.toLowerCase()]?.parameters ?? []) {
        const { value, file } =
          parameter.$ref === undefined
            ? { value: parameter, file: found.file }
            : follow(parameter.$ref, found.file);
        const { in: place, schema } = value as Parameter;
        if (place === 'body' && schema !== undefined) return { schema, file, apiVersion: found.apiVersion };
      }
      return undefined;
    },
    /** The schema that a `$ref` means, however long the chain. */
    resolve(located: Located): Located {
      let current = located;
      while (current.schema.$ref !== undefined) {
        const { value, file } = follow(current.schema.$ref, current.file);
        current = { schema: value as Schema, file };
      }
      return current;
    },
  };
}
export type Documents = ReturnType<typeof documents>;
