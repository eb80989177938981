import { urlOfHost } from '../../../shared/model/registry-address.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { readNamedText } from '../../named-file.ts';
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
  if (!URL.canParse(`https://${host}`) || path.startsWith('/'))
    throw usage(
      `"${where}" is no address of a registry.`,
      'Write it as before an image, with what comes before its repositories: docker.io, ghcr.io/owner, registry.example:5000/team',
    );
  if (passwordStdin && username === undefined)
    throw usage(
      '--password-stdin gives a password, and nobody is named whose it is.',
      'Add --username NAME.',
    );
  const usual = plainHttp ? `http://${host}` : urlOfHost(host);
  const password = username === undefined ? undefined : await readPassword(username, passwordStdin);
  return {
    address: {
      url: scheme === undefined ? usual : `${scheme}://${host}`,
      plainHttp,
      ...(authority === undefined
        ? {}
        : {
            authority: readNamedText(
              authority,
              'Name the PEM of the authority that signed the certificate of the registry.',
            ),
          }),
    },
    path: path === '' ? undefined : path,
    credential: password === undefined ? undefined : { username, password },
  };
}

const usage = (message: string, remedy: string): Failure =>
  new Failure({ code: 'usage', message, remedy, exitCode: exitCodes.usage });
