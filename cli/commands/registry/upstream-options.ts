import { readFileSync } from 'node:fs';
import { urlOfHost } from '../../../shared/model/registry-address.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { readPassword } from './password.ts';

/** How another registry is reached, as options of a command. */
export interface UpstreamOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly plainHttp?: boolean;
  readonly authority?: string;
}

/**
 * `docker.io`, `ghcr.io/owner`, `http://127.0.0.1:5000/team`: the address of the registry with the path in it, and the
 * credential, whose password is asked for.
 * @throws Failure
 */
export async function upstreamOf(where: string, options: UpstreamOptions) {
  const { username, passwordStdin = false, plainHttp = false, authority } = options;
  const [, scheme, host = '', path = ''] = /^(?:(https?):\/\/)?([^/]+)\/?(.*?)\/?$/.exec(where) ?? [];
  const usual = plainHttp ? `http://${host}` : urlOfHost(host);
  const password = username === undefined ? undefined : await readPassword(username, passwordStdin);
  return {
    address: {
      url: scheme === undefined ? usual : `${scheme}://${host}`,
      plainHttp,
      ...(authority === undefined ? {} : { authority: readPem(authority) }),
    },
    path: path === '' ? undefined : path,
    credential: password === undefined ? undefined : { username, password },
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Name the PEM of the authority that signed the certificate of the registry.',
      exitCode: exitCodes.usage,
    });
  }
}
