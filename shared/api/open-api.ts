import { z } from 'zod';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';
import { version } from './version.ts';

type Json = Record<string, unknown>;

/** JSON Schema 2020-12, which OpenAPI 3.1 uses: what goes over the wire, so the side before defaults and brands. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

/** The OpenAPI document of these routes: https://spec.openapis.org/oas/v3.1.1.html */
export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    paths[route.path] = path;
    path[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Berth', version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', bearerFormat: 'berth_<id>_<secret>' } },
      responses: {
        Problem: {
          description: 'What went wrong, with its code and what to do.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const isCommand = route.status === 202;
  return {
    operationId: route.name,
    summary: route.summary,
    'x-permission': route.permission,
    security: route.permission === 'anyone' ? [] : [{ key: [] }],
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(isCommand ? [idempotencyKey] : []),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: schemaOf(route.body.schema) },
              ...(route.body.text === undefined
                ? {}
                : { [route.body.text.type]: { schema: { type: 'string' } } }),
            },
          },
        }),
    ...(route.stream === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [route.stream]: { schema: { type: 'string', format: 'binary' } } },
          },
        }),
    responses: {
      [route.status]: {
        description: isCommand ? 'Stored; happens from now on.' : 'Done.',
        ...(route.status === 204
          ? {}
          : { content: { [route.answerType]: { schema: schemaOf(route.answer) } } }),
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key is the same command: sending it again does nothing twice.',
  schema: { type: 'string', minLength: 1, maxLength: 256 },
};

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { default: ifAbsent, ...of }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: ifAbsent === undefined ? of : { ...of, default: ifAbsent },
  }));
}
