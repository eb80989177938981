import { HttpRequest, HttpResponse } from '@azure/functions';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../shared/api/problem.ts';
import { endpoints } from '../../support/api-server.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';

const INPUTS = process.env.TEST_LONG === undefined ? 500 : 10_000;
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world.server.close());

/** Values that look right, and values that break what is careless. */
const word = fc.oneof(
  fc.constantFrom(
    'dev',
    'shop',
    'web',
    '0.g1',
    '__proto__',
    'constructor',
    '..',
    '%2e%2e',
    "'",
    '1e999',
    '-1',
    'true',
    '\u0000',
    '٣',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 500 }),
  fc.json(),
  fc
    .record({
      name: fc.constantFrom('shop', 'Shop', '', 7),
      services: fc.dictionary(
        word,
        fc.record({ image: word, replicas: fc.integer(), extra: fc.jsonValue() }),
      ),
      ids: fc.oneof(fc.jsonValue(), fc.array(word)),
    })
    .map((value) => JSON.stringify(value)),
);
const types = fc.constantFrom(
  'application/json',
  'application/yaml',
  'text/plain',
  'application/json; charset=utf-16',
  '',
);

async function rows(): Promise<string> {
  const found: unknown[] = [];
  for (const table of ['events', 'applications', 'services', 'jobs', 'runs', 'hooks', 'apikeys'])
    for await (const row of world.server.tables.list(table, {})) found.push(row);
  return JSON.stringify(found);
}

describe(`malformed requests (seed ${SEED})`, () => {
  it.each(endpoints.map((endpoint) => [endpoint.route.name, endpoint] as const))(
    '%s',
    async (_name, endpoint) => {
      const { route } = endpoint;
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      const request = fc.record({
        params: fc.record(Object.fromEntries(names.map((name) => [name, word]))),
        query: fc.dictionary(
          fc.oneof(fc.constantFrom('limit', 'tail', 'since', 'source', 'application'), word),
          word,
          { maxKeys: 3 },
        ),
        text: body,
        type: types,
      });
      const context = world.server.durable.context(route.name);
      await fc.assert(
        fc.asyncProperty(request, async ({ params, query, text, type }) => {
          const before = await rows();
          const answer = await endpoint.answer(
            new HttpRequest({
              method: route.method,
              url: 'https://host/x',
              headers: { authorization: `Bearer ${world.server.adminKey}`, 'content-type': type },
              params,
              query,
              ...(route.method === 'GET' ? {} : { body: { string: text } }),
            }),
            context,
            world.server.services,
          );
          if (answer instanceof HttpResponse) return void (await answer.body?.cancel());
          expect(answer.status).toBeLessThan(500);
          if ((answer.status ?? 200) < 400) return;
          Problem.parse(JSON.parse(String(answer.body)));
          expect(await rows()).toBe(before);
        }),
        { numRuns: INPUTS, seed: SEED },
      );
    },
    600_000,
  );
});
