import type { Connection } from '../connection.ts';
import { hostOf } from './host.ts';

/** What the program prints on stdout, and its exit code: 1 for an error, whose text stands there too. */
export interface HelperAnswer {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** Any name will do with a key; docker shows it. */
const USER = 'berth';

const error = (text: string): HelperAnswer => ({ text, exitCode: 1 });
/** Texts that clients compare with: docker/docker-credential-helpers, credentials/error.go. */
const notFound = error('credentials not found in native keychain');
const noServer = error('no credentials server URL');
const noUser = error('no credentials username');

/**
 * Answers one call: https://github.com/docker/docker-credential-helpers#development
 * @param action get, store, erase, list or version
 * @param input all of stdin
 * @param connection of the `berth` command; undefined where there is none, and clients then ask without a credential
 */
export function answer(
  action: string,
  input: string,
  connection: Connection | undefined,
  version: string,
): HelperAnswer {
  const isOurs = (server: string): boolean => connection?.registries.includes(hostOf(server)) ?? false;
  const server = input.trim();
  switch (action) {
    case 'get':
      if (server === '') return noServer;
      if (connection === undefined || !isOurs(server)) return notFound;
      return json({ ServerURL: server, Username: USER, Secret: connection.key });
    case 'store': {
      const given = credentialIn(input);
      if (given === undefined) return error('expected {"ServerURL", "Username", "Secret"} as JSON');
      if (given.ServerURL === '') return noServer;
      if (given.Username === '') return noUser;
      if (isOurs(given.ServerURL) && given.Secret === connection?.key) return { text: '', exitCode: 0 };
      return error(
        'docker-credential-berth keeps nothing: it gives the key of BERTH_KEY or .berth/client.json, and this is another',
      );
    }
    case 'erase':
      if (server === '') return noServer;
      if (!isOurs(server)) return notFound;
      return error(
        `docker-credential-berth keeps nothing: to have docker ask it no more, run berth registry logout ${hostOf(server)}`,
      );
    case 'list':
      return json(Object.fromEntries((connection?.registries ?? []).map((host) => [host, USER])));
    case 'version':
      return { text: `docker-credential-berth (berth) v${version}`, exitCode: 0 };
    default:
      return error(`Unknown credential action \`${action}\``);
  }
}

const json = (value: unknown): HelperAnswer => ({ text: JSON.stringify(value), exitCode: 0 });

interface Credential {
  readonly ServerURL: string;
  readonly Username: string;
  readonly Secret: string;
}

function credentialIn(text: string): Credential | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const {
      ServerURL = '',
      Username = '',
      Secret = '',
    } = value as Partial<Record<keyof Credential, unknown>>;
    return { ServerURL: String(ServerURL), Username: String(Username), Secret: String(Secret) };
  } catch {
    return undefined;
  }
}
