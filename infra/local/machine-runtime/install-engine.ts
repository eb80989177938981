import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';

/** Programs that our own engine needs, and the Debian package of each. */
const programs: readonly NeededProgram[] = [
  { program: 'dockerd', packages: ['docker.io'] },
  // Newer releases only recommend docker-cli; older ones have the client in docker.io.
  { program: 'docker', packages: ['docker-cli', 'docker.io'] },
  { program: 'iptables', packages: ['iptables'] },
  { program: 'ip', packages: ['iproute2'] },
  { program: 'mmdebstrap', packages: ['mmdebstrap'] },
];

/** Why our own engine cannot be used here; undefined if it can. */
export async function whyNotInstall(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'needs root, and you are not root';
  const missing = programs.filter(({ program }) => !installed(program));
  if (missing.length > 0 && !installed('apt-get'))
    return `${missing.map(({ program }) => program).join(', ')} must be installed first, and this is not Debian, whose packages we could install`;
  return undefined;
}

export interface NeededProgram {
  readonly program: string;
  /** Debian packages that have it, the first that there is. */
  readonly packages: readonly string[];
}

/** Installs what is missing of the programs that our own engine needs. Needs root. */
export const installEngine = (report: (line: string) => void): Promise<void> =>
  installPrograms(programs, report);

/** Installs what is missing, from Debian's packages. Needs root. */
export async function installPrograms(
  needed: readonly NeededProgram[],
  report: (line: string) => void,
): Promise<void> {
  const missing = needed.filter(({ program }) => !installed(program));
  if (missing.length === 0) return;
  await apt(['update', '-q'], () => {});
  const packages: string[] = [];
  for (const { packages: names } of missing) {
    for (const name of names) {
      if (!(await hasCandidate(name))) continue;
      packages.push(name);
      break;
    }
  }
  const wanted = [...new Set(packages)];
  report(`installing ${wanted.join(', ')} with apt`);
  await withoutStartingServices(() => apt(['install', '-y', '--no-install-recommends', ...wanted], () => {}));
}

export const installed = (program: string): boolean =>
  `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
    .split(delimiter)
    .some((folder) => existsSync(join(folder, program)));

const hasCandidate = async (name: string): Promise<boolean> =>
  /^ {2}Candidate: (?!\(none\))/m.test(await run('apt-cache', ['policy', name]));

const apt = (args: readonly string[], line: (line: string) => void) =>
  run('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    line,
  });

const policy = '/usr/sbin/policy-rc.d';

/** Debian starts a service when it installs it. The system's own engine stays off: it was not asked for. */
async function withoutStartingServices(work: () => Promise<unknown>): Promise<void> {
  const made = !existsSync(policy);
  if (made)
    writeFileSync(
      policy,
      '#!/bin/sh\n# berth: no services are started while packages are installed\nexit 101\n',
      { mode: 0o755 },
    );
  try {
    await work();
  } finally {
    if (made && readFileSync(policy, 'utf8').includes('berth:')) rmSync(policy);
  }
  if (existsSync('/run/systemd/system'))
    await run('systemctl', ['disable', 'docker.service', 'docker.socket', 'containerd.service']);
}
