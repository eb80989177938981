import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv-draft-04';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documents, type Located } from '../../../infra/local/arm/specification/documents.ts';
import { validate } from '../../../infra/local/arm/specification/validate.ts';

const folder = fileURLToPath(new URL('../../../../shared/reference/azure-specs', import.meta.url));
const there = existsSync(join(folder, 'operations.json'));
const BASE = 'https://documents.test/';

type Node = Record<string, unknown>;

const each = (map: unknown): Node =>
  Object.fromEntries(Object.entries(map as Node).map(([name, schema]) => [name, prepare(schema as Node)]));

/** A schema as JSON Schema says what `validate` means: open enumerations, read-only members unchecked, objects typed. */
function prepare(schema: Node): Node {
  if (schema.readOnly === true) return {};
  if (schema.$ref !== undefined) return { $ref: schema.$ref };
  const { properties, items, allOf, additionalProperties, required, type, enum: values } = schema;
  const copy: Node = {};
  for (const keyword of ['pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'])
    if (schema[keyword] !== undefined) copy[keyword] = schema[keyword];
  if (type !== undefined || properties !== undefined || allOf !== undefined) copy.type = type ?? 'object';
  if (properties !== undefined) copy.properties = each(properties);
  if (items !== undefined) copy.items = prepare(items as Node);
  if (allOf !== undefined) copy.allOf = (allOf as Node[]).map(prepare);
  if (typeof additionalProperties === 'object')
    copy.additionalProperties = prepare(additionalProperties as Node);
  const open = (schema['x-ms-enum'] as Node | undefined)?.modelAsString === true;
  if (values !== undefined && !open) copy.enum = values;
  const written = ((required ?? []) as string[]).filter(
    (name) => (properties as Record<string, Node> | undefined)?.[name]?.readOnly !== true,
  );
  if (written.length > 0) copy.required = written;
  return copy;
}

function schemas(): InstanceType<typeof Ajv.default> {
  const ajv = new Ajv.default({ strict: false, validateFormats: false, unicodeRegExp: false, logger: false });
  for (const name of readdirSync(join(folder, 'specification'), { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.json') && !name.includes('examples/')) {
      const { definitions } = JSON.parse(readFileSync(join(folder, 'specification', name), 'utf8')) as Node;
      ajv.addSchema({
        id: `${BASE}specification/${name}`,
        definitions: each(definitions ?? {}),
      } as object);
    }
  return ajv;
}

/** Places in a body, each as the keys that lead there. */
const places = (value: unknown, at: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? [at, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...at, key]))]
    : [at];

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value) && by === undefined && rest.length === 0)
    return value.filter((_, index) => String(index) !== key);
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? replaced(item, rest, by) : item));
  const object = value as Node;
  if (by === undefined && rest.length === 0)
    return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  return { ...object, [key]: replaced(object[key], rest, by) };
}

describe.skipIf(!there)(
  "reading of Azure's API documents (../shared/reference/azure-specs), against ajv",
  () => {
    it.each([
      ['virtualMachines', 'Microsoft.Compute', /VirtualMachine_Create/],
      ['networkSecurityGroups', 'Microsoft.Network', /NetworkSecurityGroupCreate/],
      ['virtualNetworks', 'Microsoft.Network', /VirtualNetworkCreate/],
    ])(
      'says the same of spoiled bodies: %s',
      (type, provider, examples) => {
        const found = documents(folder);
        const located = found.body(
          'PUT',
          `/subscriptions/s/resourceGroups/g/providers/${provider}/${type}/x`,
        ) as Located;
        const pointer = String(located.schema.$ref);
        const ajv = schemas();
        const check = ajv.compile({ $ref: `${BASE}${relative(folder, located.file)}${pointer}` });
        const bodies = readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => examples.test(name.split('/').at(-1) ?? ''))
          .map(
            (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).parameters.parameters as unknown,
          )
          .filter((body) => body !== undefined);
        expect(bodies.length).toBeGreaterThan(1);
        const spoiled = fc
          .record({
            body: fc.constantFrom(...bodies),
            place: fc.nat(),
            by: fc.constantFrom('text', 7, 1.5, true, [], {}, [{}], [7], undefined),
          })
          .map(({ body, place, by }) => {
            const all = places(body).slice(1);
            return replaced(body, all[place % all.length]!, by);
          });
        fc.assert(
          fc.property(spoiled, (body) => {
            const ours = validate(found, located, body, false);
            expect({ accepted: ours === undefined, ours, body }).toMatchObject({ accepted: check(body) });
          }),
          { numRuns: process.env.TEST_LONG === '1' ? 20_000 : 500 },
        );
      },
      120_000,
    );
  },
);
