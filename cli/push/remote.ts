import { z } from 'zod';
import type { Digest, RepositoryName } from '../../shared/model/image.ts';
import type { Connection } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { harmless } from '../output.ts';
import type { Answer, Asking, Http } from './http.ts';

/** The registry's own protocol, for one repository. */
export interface Remote {
  readonly repository: RepositoryName;
  /** One request with a token. @throws Failure `unreachable`; what the registry refuses is answered */
  send(asking: Omit<Asking, 'url'> & { readonly path: string }): Promise<Answer>;
  /** @throws Failure with the registry's own code */
  refuse(answer: Answer, what: string): never;
}

const Token = z.object({ token: z.string() });
const Errors = z.object({
  errors: z
    .array(
      z.object({
        code: z.string(),
        message: z.string().default(''),
        /** Of whose copies the repository is one; the bytes that it may hold. */
        detail: z
          .object({ source: z.string().optional(), quota: z.number().optional() })
          .optional()
          .catch(undefined),
      }),
    )
    .min(1),
});
type Refused = z.infer<typeof Errors>['errors'][number];

function remedyFor(refused: Refused | undefined, isKeys: boolean, repository: RepositoryName): string {
  const { source, quota } = refused?.detail ?? {};
  if (source !== undefined)
    return `Push to another repository; what this one is a copy of: berth registry sources show ${harmless(source)}`;
  if (quota !== undefined)
    return `Make room, or change the quota: berth registry quota ${repository}; berth registry policy effective ${repository}`;
  if (isKeys)
    return `Use a key that may push to ${repository}, and look at its policy: berth registry policy list`;
  switch (refused?.code) {
    case 'DENIED':
      return `Push under another tag, or change the policy: berth registry policy effective ${repository}`;
    case 'DIGEST_INVALID':
      return 'The file is not what its name says: write it anew, with docker save or skopeo copy … oci:…';
    default:
      return 'Push again: what is there already is not sent twice.';
  }
}

/** @param others repositories from which blobs may be mounted */
export function makeRemote(
  http: Http,
  { url: base, key, origin }: Connection,
  repository: RepositoryName,
  others: readonly string[],
): Remote {
  let token: Promise<string> | undefined;
  const send = async (asking: Asking): Promise<Answer> => {
    try {
      return await http.send(asking);
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      throw new Failure({
        code: 'unreachable',
        message: `${base.origin} does not answer: ${error instanceof Error ? error.message : String(error)}`,
        remedy: `The address comes from ${origin}. Push again: what is there already is not sent twice.`,
        exitCode: exitCodes.unreachable,
      });
    }
  };
  const refuse = (answer: Answer, what: string): never => {
    const [error] = Errors.safeParse(parse(answer.text)).data?.errors ?? [];
    const isDenied = answer.status === 401 || answer.status === 403;
    // An answer to HEAD has no words.
    const words = error?.message || answer.text.slice(0, 200);
    const status = isDenied ? `the key may not do this in ${repository}` : `status ${answer.status}`;
    throw new Failure({
      code: (error?.code ?? 'answer-unexpected').toLowerCase().replaceAll('_', '-'),
      message: `${what}: ${harmless(words || status)}`,
      remedy: remedyFor(error, isDenied, repository),
      exitCode: isDenied ? exitCodes.unauthorised : exitCodes.failed,
    });
  };
  const newToken = async (): Promise<string> => {
    const url = new URL('/v2/token', base);
    url.searchParams.set('service', 'berth');
    url.searchParams.append('scope', `repository:${repository}:pull,push`);
    for (const other of others) url.searchParams.append('scope', `repository:${other}:pull`);
    const authorization = `Basic ${Buffer.from(`berth:${key}`).toString('base64')}`;
    const answer = await send({ method: 'GET', url, headers: { authorization } });
    const found = answer.status === 200 ? Token.safeParse(parse(answer.text)).data : undefined;
    return found?.token ?? refuse(answer, 'The registry gives no token');
  };
  return {
    repository,
    refuse,
    async send({ path, headers, ...asking }) {
      const url = new URL(path, base);
      if (url.origin !== base.origin)
        throw new Failure({
          code: 'answer-unexpected',
          message: `The registry at ${base.origin} sends uploads to ${url.origin}, which is not given a token.`,
          remedy: 'Check that the address is that of Berth, and not of something before it.',
          exitCode: exitCodes.failed,
        });
      for (let attempt = 1; ; attempt += 1) {
        token ??= newToken();
        const authorization = `Bearer ${await token}`;
        const answer = await send({ ...asking, url, headers: { ...headers, authorization } });
        if (answer.status !== 401 || attempt === 2) return answer;
        // It has expired: tokens live for minutes.
        token = undefined;
      }
    },
  };
}

/** Whether the blob is there. @throws Failure with the registry's words, where it takes no blobs */
export async function hasBlob(remote: Remote, digest: Digest): Promise<boolean> {
  const asking = { method: 'HEAD', path: `/v2/${remote.repository}/blobs/${digest}` };
  const first = await remote.send({ ...asking, atOnce: true });
  if (first.status === 200 || first.status === 404) return first.status === 200;
  if (first.status === 401) return remote.refuse(first, `Blob ${digest}`);
  // An answer to HEAD has no words, and asking again may be in vain: of a copy whose source is down nothing can be asked, and
  // nothing is pushed to it. To begin an upload tells.
  await tryUpload(remote, `Blob ${digest}`);
  // It takes blobs: one of which it still does not say whether it has it is sent, which may be once too often.
  return (await remote.send(asking)).status === 200;
}

async function tryUpload(remote: Remote, what: string): Promise<void> {
  const begun = await remote.send({ method: 'POST', path: `/v2/${remote.repository}/blobs/uploads/` });
  if (begun.status !== 202) return remote.refuse(begun, what);
  if (begun.headers.location !== undefined)
    await remote.send({ method: 'DELETE', path: begun.headers.location });
}

export async function mountBlob(remote: Remote, digest: Digest, from: string): Promise<boolean> {
  const path = `/v2/${remote.repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
  const answer = await remote.send({ method: 'POST', path });
  if (answer.status === 201) return true;
  const upload = answer.headers.location;
  if (answer.status === 202 && upload !== undefined) await remote.send({ method: 'DELETE', path: upload });
  return false;
}

export async function putManifest(
  remote: Remote,
  reference: string,
  mediaType: string,
  body: Uint8Array,
): Promise<void> {
  const path = `/v2/${remote.repository}/manifests/${reference}`;
  const answer = await remote.send({ method: 'PUT', path, headers: { 'content-type': mediaType }, body });
  if (answer.status !== 201) remote.refuse(answer, `Manifest ${remote.repository}:${reference}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
