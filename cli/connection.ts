import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hostOf } from './credential-helper/host.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** `.berth/client.json`, mode 0600: written by whoever set Berth up. */
const ClientFile = z.object({
  url: z.url({ protocol: /^https$/, error: 'expected an https address' }),
  key: z.string().min(1),
  /** Certificates in PEM, or absolute path of a file with them; the authority that signed the server's, if no public one did. */
  ca: z.string().optional(),
  /** Further `host:port` under which this Berth's registry is reached: its key is given to these and to no other. */
  registries: z.array(z.string().regex(/^[^/@\s]+$/, 'expected host or host:port')).optional(),
});

export interface Connection {
  readonly url: URL;
  readonly key: string;
  readonly ca: string | undefined;
  /** `host` or `host:port` of the registry in image references, that of `url` first. */
  readonly registries: readonly string[];
  /** Where this was found, for messages. */
  readonly origin: string;
}

/**
 * From BERTH_URL and BERTH_KEY (and BERTH_CA, a file), or from the nearest `.berth/client.json` upward from `directory`.
 * @throws Failure `not-connected`, `client-file-invalid`
 */
export function findConnection(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Connection {
  const { BERTH_URL: url, BERTH_KEY: key, BERTH_CA: ca } = environment;
  if (url !== undefined && url !== '')
    return parse({ url, key: key ?? '', ...(ca === undefined || ca === '' ? {} : { ca }) }, 'BERTH_URL');
  for (let at = directory; ; at = dirname(at)) {
    const file = join(at, '.berth', 'client.json');
    const text = readIfThere(file);
    if (text !== undefined) return parse(json(text, file), file);
    if (dirname(at) === at) break;
  }
  throw new Failure({
    code: 'not-connected',
    message: `No Berth is known here: BERTH_URL is not set, and no folder from ${directory} upward has .berth/client.json.`,
    remedy: 'Start one with npm start, or set BERTH_URL and BERTH_KEY.',
    exitCode: exitCodes.unreachable,
  });
}

function parse(value: unknown, origin: string): Connection {
  const parsed = ClientFile.safeParse(value);
  if (!parsed.success)
    throw invalid(
      origin,
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  const { url: address, key, ca, registries = [] } = parsed.data;
  const url = new URL(address);
  const pem = ca === undefined || ca.includes('-----BEGIN') ? ca : readIfThere(ca);
  if (ca !== undefined && pem === undefined) throw invalid(origin, `ca: there is no file ${ca}`);
  return { url, key, ca: pem, registries: [...new Set([url.host, ...registries.map(hostOf)])], origin };
}

function json(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
}

const invalid = (origin: string, reason: string): Failure =>
  new Failure({
    code: 'client-file-invalid',
    message: `${origin} does not say where Berth is: ${reason}`,
    remedy:
      origin === 'BERTH_URL'
        ? 'Set BERTH_URL to an https address, BERTH_KEY to an API key, and BERTH_CA to a file of certificates if it needs one.'
        : 'Expected {"url": "https://…", "key": "berth_…"}; npm start writes it anew.',
    exitCode: exitCodes.usage,
  });

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ENOTDIR'
    )
      return undefined;
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      remedy:
        'It belongs to the user who started Berth: run the command as that user, or set BERTH_URL and BERTH_KEY.',
      exitCode: exitCodes.unauthorised,
    });
  }
}
