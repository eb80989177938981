import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../report.ts';
import type { Program } from './distribution.ts';

const execute = promisify(execFile);
/** Version 3, as Go builds it. */
const VERSION_3 = 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2';

/** The programs of distribution that this computer has or can build; what it has not is told. */
export async function programsHere(folder: string, report: Report): Promise<readonly Program[]> {
  const found: Program[] = [];
  const debian = await versionOf('docker-registry');
  if (debian === undefined)
    report('distribution 2: left out, there is no docker-registry (Debian: apt install docker-registry)');
  else {
    report('distribution 2, azure: left out, Debian builds it without that driver');
    found.push({ name: `distribution ${debian}`, program: 'docker-registry' });
  }
  try {
    await execute('go', ['install', VERSION_3], {
      cwd: folder,
      env: { ...process.env, GOBIN: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' },
    });
    const program = join(folder, 'registry');
    found.push({
      name: `distribution ${await versionOf(program)}`,
      program,
      azure: ({ name, key, blobUri, container }) => ({
        accountname: name,
        accountkey: key,
        container,
        serviceurl: blobUri,
        credentials: { type: 'shared_key' },
      }),
    });
  } catch (error) {
    report(`distribution 3: left out, Go could not build it: ${(error as Error).message.split('\n')[0]}`);
  }
  return found;
}

/** Name and version of the zot in the path; it comes neither with Debian nor by `go install`. */
export async function zotHere(report: Report): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await execute('zot', ['--version']);
    // A line of JSON, whose other version is the specification's.
    return `zot ${/"commit":"v?(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? ''}`.trim();
  } catch {
    report('zot: left out, there is no program zot in the path');
    return undefined;
  }
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    return /v?(\d+\.\d+\.\d+)/.exec((await execute(program, ['--version'])).stdout)?.[1];
  } catch {
    return undefined;
  }
}
