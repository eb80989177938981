import type { Content, TestImage } from './oci-image.ts';

/** Sends one request. @throws if the connection is lost before the answer is whole */
export type Send = (method: string, path: string, init?: RequestInit) => Promise<Response>;

/** How a blob is sent: in the request that begins, in one further request, or in chunks that can be gone on with. */
export type Manner = 'whole' | 'streamed' | 'chunked';

/** What a registry has confirmed; it may not forget any of it. */
export interface Confirmed {
  readonly blobs: Set<string>;
  manifest: boolean;
}

/** A request that got lost, or that was answered with a 5xx: the registry, or what is below it, is not there. */
class Lost extends Error {}

/**
 * A client that pushes an image and lets nothing stop it: after a loss it asks what is there and goes on from there, or
 * begins again. Checks each answer for what the specification allows.
 * @param recovered waits until the registry is back
 */
export async function pushResuming(
  send: Send,
  recovered: () => Promise<void>,
  repository: string,
  tag: string,
  { blobs, manifest }: TestImage,
  manners: readonly Manner[],
  chunk: number,
  confirmed: Confirmed,
): Promise<void> {
  const base = `/v2/${repository}`;
  const ask: Send = async (method, path, init) => {
    const answer = await send(method, path, init).catch((error: unknown) => {
      throw new Lost('lost', { cause: error });
    });
    if (answer.status >= 500) throw new Lost(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  /** Until it is done, as often as it needs; more than a few losses for one blob are no accident. */
  const insist = async (work: () => Promise<void>): Promise<void> => {
    for (let tries = 1; ; tries += 1)
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Lost) || tries > 12) throw error;
        await recovered();
      }
  };
  const isThere = async (digest: string): Promise<boolean> =>
    expectStatus(await ask('HEAD', `${base}/blobs/${digest}`), 200, 404) === 200;
  const begin = async (): Promise<string> => {
    const answer = await ask('POST', `${base}/blobs/uploads/`);
    expectStatus(answer, 202);
    return answer.headers.get('location') ?? '';
  };
  const complete = async (location: string, { digest }: Content): Promise<void> => {
    expectStatus(await ask('PUT', `${location}?digest=${digest}`), 201);
  };
  const whole = async ({ digest, bytes }: Content): Promise<void> => {
    if (await isThere(digest)) return;
    const path = `${base}/blobs/uploads/?digest=${digest}`;
    expectStatus(await ask('POST', path, { body: bodyOf(bytes) }), 201);
  };
  const streamed = async (blob: Content): Promise<void> => {
    if (await isThere(blob.digest)) return;
    const location = await begin();
    expectStatus(await ask('PATCH', location, { body: bodyOf(blob.bytes) }), 202);
    await complete(location, blob);
  };
  /** Where the upload stands; undefined if it ended or never was. */
  const offsetOf = async (location: string): Promise<number | undefined> => {
    const answer = await ask('GET', location);
    if (expectStatus(answer, 204, 404) === 404) return undefined;
    return nextByte(answer);
  };
  const chunked = (): ((blob: Content) => Promise<void>) => {
    let location: string | undefined;
    let offset = 0;
    return async (blob) => {
      if (location !== undefined) {
        // 0-0 stands for nothing and for one byte: which of the two is not known, and never one byte here.
        const found = await offsetOf(location);
        if (found === undefined) location = undefined;
        else offset = found <= 1 ? 0 : found;
      }
      if (location === undefined) {
        if (await isThere(blob.digest)) return;
        location = await begin();
        offset = 0;
      }
      while (offset < blob.bytes.length) {
        const part = blob.bytes.subarray(offset, offset + chunk);
        const range = `${offset}-${offset + part.length - 1}`;
        const answer = await ask('PATCH', location, {
          body: bodyOf(part),
          headers: { 'content-range': range },
        });
        // A chunk that came although its answer was lost is not wanted again: the answer says where it goes on.
        expectStatus(answer, 202, 416);
        offset = nextByte(answer);
      }
      await complete(location, blob);
    };
  };

  for (const [index, blob] of blobs.entries()) {
    const manner = manners[index % manners.length];
    const go = manner === 'whole' ? whole : manner === 'streamed' ? streamed : chunked();
    await insist(() => go(blob));
    confirmed.blobs.add(blob.digest);
  }
  await insist(async () => {
    const headers = { 'content-type': manifest.mediaType };
    const path = `${base}/manifests/${tag}`;
    expectStatus(await ask('PUT', path, { body: bodyOf(manifest.bytes), headers }), 201);
    confirmed.manifest = true;
  });
}

const bodyOf = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;

function expectStatus(answer: Response, ...wanted: number[]): number {
  if (!wanted.includes(answer.status))
    throw new Error(`${answer.url || 'a request'} was answered ${answer.status}, not ${wanted.join(' or ')}`);
  return answer.status;
}

function nextByte(answer: Response): number {
  const last = /^0-(?<last>\d+)$/.exec(answer.headers.get('range') ?? '')?.groups?.['last'];
  if (last === undefined) throw new Error(`the Range of an upload is ${answer.headers.get('range')}`);
  return Number(last) + 1;
}
