import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the CLI keeps on this computer for the machines of one installation. Only the user reads it. */
export interface DataFolder {
  readonly root: string;
  /** `ca.pem`, `cert.pem`, `key.pem`, as docker wants them: DOCKER_CERT_PATH. */
  readonly certificates: string;
  /** Host keys, in ssh's format. */
  readonly knownHosts: string;
  /** Paths of private keys that were used with --ssh-key, one a line. */
  readonly identities: string;
  /** Private key that is made where the user has none. */
  readonly ownKey: string;
}

/**
 * Under XDG_DATA_HOME, one folder for each installation, since each has its own authority.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 * @param installation where its API is
 */
export function dataFolder(
  variables: Readonly<Record<string, string | undefined>>,
  installation: URL,
): DataFolder {
  const data = variables['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const root = join(data, 'berth', 'machines', installation.host.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
  return {
    root,
    certificates: join(root, 'client'),
    knownHosts: join(root, 'known_hosts'),
    identities: join(root, 'ssh-identities'),
    ownKey: join(root, 'id_ed25519'),
  };
}
