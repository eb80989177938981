import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ORIGIN } from '../../support/registry-client.ts';
import { differences } from '../../support/registry-state.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';
import { long, seed } from '../../support/sample.ts';
import { type Mutated, routes } from './malformed/requests.ts';
import { bearer, type Stocked, stocked } from './malformed/stocked.ts';

const REQUESTS = long ? 10_000 : 500;

/** Stands for the id of the upload that is under way. */
const UPLOAD = '00000000-0000-4000-8000-00000000abcd';

/** OCI Distribution 1.1, "Error Codes"; and codes of the reference registry. */
const Problem = z.object({
  errors: z
    .array(
      z.object({
        code: z.string().regex(/^[A-Z_]+$/),
        message: z.string().min(1),
        detail: z.unknown().optional(),
      }),
    )
    .min(1),
});

/** As the handler gets it; undefined if not even that: then no server would pass it on. */
async function requestOf(
  method: string,
  { path, headers, body, cut }: Mutated,
): Promise<Request | undefined> {
  const name = /^\/v2\/(?<name>.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(path)?.groups?.['name'];
  const authorization = await bearer('a/b', ...(name === undefined || name === 'a/b' ? [] : [decoded(name)]));
  try {
    return new Request(`${ORIGIN}${path}`, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body: cut ? broken(body) : (body as Uint8Array<ArrayBuffer>) }),
      duplex: 'half',
    });
  } catch {
    return undefined;
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Half of it, and then the connection is lost. */
const broken = (body: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(body.subarray(0, body.length / 2));
    },
    pull(controller) {
      controller.error(new Error('aborted'));
    },
  });

describe(`mutated requests (seed ${seed})`, () => {
  test.each(routes.map((route) => [`${route.method} ${route.name}`, route] as const))(
    '%s',
    async (_name, route) => {
      let registry: Stocked = await stocked();
      let upload = await registry.upload();
      let refused = 0;
      let done = 0;
      await fc.assert(
        fc.asyncProperty(
          // An upload's id is only known while it runs: the mutations name one that is replaced by it.
          route.request(registry, UPLOAD),
          async (mutated) => {
            const request = await requestOf(route.method, {
              ...mutated,
              path: mutated.path.replaceAll(UPLOAD, upload),
            });
            if (request === undefined) return;
            const before = await registry.dump();
            const answer = await registry.handle(request);
            const text = await answer.text();
            expect(registry.reports).toEqual([]);
            expect(answer.status).toBeLessThan(500);
            if (answer.status < 400) {
              done += 1;
              // Reading leaves a trail of its own, which only grows.
              if ((route.method === 'GET' || route.method === 'HEAD') && done % 50 > 0) return;
              registry = await stocked();
              upload = await registry.upload();
              return;
            }
            refused += 1;
            if (route.method !== 'HEAD') {
              expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
              Problem.parse(JSON.parse(text));
            }
            // What came of a chunk that broke off counts, so that the client goes on from there.
            if (mutated.cut && route.method === 'PATCH') return;
            // So do an upload's bytes that were put together for a wrong digest, for the right one; nothing names them yet.
            const changed = differences(before, await registry.dump());
            expect(changed.filter((change) => !/^new: blob data\//.test(change))).toEqual([]);
          },
        ),
        { numRuns: REQUESTS, seed },
      );
      expect(refused).toBeGreaterThan(REQUESTS / 20);
    },
    1_800_000,
  );
});

/** What storage makes of names and queries shows only on storage itself: memory takes any key. */
describe(`mutated reading requests on Azurite (seed ${seed})`, () => {
  let storage: RegistryStorage;
  let registry: Stocked;
  beforeAll(async () => {
    storage = await registryStorages.azurite();
    registry = await stocked(storage);
  });
  afterAll(() => storage?.stop());

  test.each(
    routes
      .filter(({ method }) => method === 'GET' || method === 'HEAD')
      .map((route) => [`${route.method} ${route.name}`, route] as const),
  )(
    '%s',
    async (_name, route) => {
      await fc.assert(
        fc.asyncProperty(route.request(registry, UPLOAD), async (mutated) => {
          const request = await requestOf(route.method, mutated);
          if (request === undefined) return;
          const answer = await registry.handle(request);
          await answer.text();
          expect(registry.reports).toEqual([]);
          expect(answer.status).toBeLessThan(500);
        }),
        { numRuns: long ? 2_000 : 50, seed },
      );
    },
    1_800_000,
  );
});
