import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const execute = promisify(execFile);
const MODULE = 'github.com/opencontainers/distribution-spec/conformance';

/** Where the registry is, and as whom. */
export interface Target {
  /** `<host>:<port>`, plain HTTP. */
  readonly host: string;
  readonly password: string;
}

/** One edition of the official suite. */
export interface Suite {
  readonly name: string;
  /** What exactly is built. */
  readonly commit: string;
  /** As Go names that commit: the module has no tag of its own. */
  readonly version: string;
  /**
   * Builds the program.
   * @param source a checkout of the specification's repository at that commit, instead of Go's module
   */
  build(program: string, source: string | undefined): Promise<void>;
  readonly environment: (target: Target) => Readonly<Record<string, string>>;
  /** The JUnit report, below the folder in which the program runs. */
  readonly report: string;
  /** The part of the report that a test belongs to. */
  readonly partOf: (test: string) => string;
  /** Why tests are skipped, by what their names contain. */
  readonly skips: Readonly<Record<string, string>>;
}

/** Go, without fetching another Go or asking a version control for stamps. */
const go = (args: readonly string[], cwd: string, environment: Record<string, string> = {}) =>
  execute('go', args, {
    cwd,
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false', ...environment },
    maxBuffer: 16 * 1024 * 1024,
  });

/** @returns undefined where there is no Go */
export async function goVersion(): Promise<string | undefined> {
  try {
    return (await go(['version'], '.')).stdout.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const PREFIX = 'OCI Distribution Conformance Tests ';
const CATEGORIES = ['Pull', 'Push', 'Content Discovery', 'Content Management'];
const FOR_READ_ONLY = 'only where nothing may be pushed: what is there is then named to the suite';

/** The edition that belongs to version 1.1.1 of the specification: https://github.com/opencontainers/distribution-spec */
const v111: Suite = {
  name: 'v1.1.1',
  commit: 'a139cc423184af6078077b9b7ee336eddbd03f8f',
  version: 'v0.0.0-20250123160558-a139cc423184',
  async build(program, source) {
    const folder =
      source === undefined ? await downloaded(this.version) : await checkedOut(source, this.commit);
    await go(['test', '-c', '-o', program, '.'], folder);
  },
  environment: ({ host, password }) => ({
    OCI_ROOT_URL: `http://${host}`,
    OCI_NAMESPACE: 'conformance/one',
    OCI_CROSSMOUNT_NAMESPACE: 'conformance/two',
    OCI_USERNAME: 'admin',
    OCI_PASSWORD: password,
    OCI_TEST_PULL: '1',
    OCI_TEST_PUSH: '1',
    OCI_TEST_CONTENT_DISCOVERY: '1',
    OCI_TEST_CONTENT_MANAGEMENT: '1',
    OCI_AUTOMATIC_CROSSMOUNT: '0',
    OCI_HIDE_SKIPPED_WORKFLOWS: '0',
  }),
  report: 'junit.xml',
  // The reporter of the suite stands in its own report as one test more.
  partOf: (test) =>
    CATEGORIES.find((category) => test.startsWith(`${PREFIX}${category} `)) ??
    (test === 'html custom reporter' ? '' : test),
  skips: {
    'Get tag name from environment': FOR_READ_ONLY,
    'Populate registry with test tags (no push)': FOR_READ_ONLY,
    'Cross-mounting of nonexistent blob': 'only where the mount before it was not granted; it was',
    'automatic content discovery enabled':
      'the registry does not look into repositories that the client did not name; the test for such registries passes',
  },
};

/** The edition that followed: the same version 1.1 of the specification, more than ten times as many tests. */
const redesigned: Suite = {
  name: 'redesigned',
  commit: '97274622c111',
  version: 'v0.0.0-20260831232431-97274622c111',
  async build(program) {
    const folder = join(program, '..');
    await go(['install', `${MODULE}@${this.version}`], folder, { GOBIN: folder });
    await execute('mv', [join(folder, 'conformance'), program]);
  },
  environment: ({ host, password }) => ({
    OCI_VERSION: '1.1',
    OCI_REGISTRY: host,
    OCI_TLS: 'disabled',
    OCI_REPO1: 'conformance/three',
    OCI_REPO2: 'conformance/four',
    OCI_USERNAME: 'admin',
    OCI_PASSWORD: password,
    // A token for each request: one that is used again may lack the repository that a mount names.
    OCI_CACHE_AUTH: 'false',
    // What the specification leaves open and we have.
    OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
    OCI_API_BLOBS_DIGEST_HEADER: 'true',
    OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
    OCI_API_MANIFESTS_TAG_PARAM: 'true',
  }),
  report: 'results/junit.xml',
  partOf: (test) => (test.split('/')[1] ?? test).replace(/^\w/, (letter) => letter.toUpperCase()),
  skips: {
    'blob-mount-anonymous':
      'the registry does not look into repositories that the client did not name, and takes an upload instead, as the specification has it',
    'range 500-0': 'no range that RFC 9110 knows: it is ignored, and the whole blob is returned',
  },
};

export const suites: readonly Suite[] = [v111, redesigned];

const Downloaded = z.object({ Dir: z.string() });

async function downloaded(version: string): Promise<string> {
  const { stdout } = await go(['mod', 'download', '-json', `${MODULE}@${version}`], '/').catch(
    // Go says in its answer why it could not.
    (error: { stdout?: string }) => {
      const reason = z.object({ Error: z.string() }).safeParse(JSON.parse(error.stdout || '{}'));
      throw reason.success ? new Error(reason.data.Error) : error;
    },
  );
  return Downloaded.parse(JSON.parse(stdout)).Dir;
}

async function checkedOut(source: string, commit: string): Promise<string> {
  const { stdout } = await execute('git', ['-C', source, 'rev-parse', 'HEAD']);
  if (stdout.trim() !== commit)
    throw new Error(
      `${source} is at ${stdout.trim()}: expected a checkout of ${commit}, which is the tag v1.1.1`,
    );
  const changed = await execute('git', ['-C', source, 'status', '--porcelain', '--', 'conformance']);
  if (changed.stdout !== '') throw new Error(`${source} has changes in its folder conformance`);
  const folder = join(source, 'conformance');
  if (!existsSync(join(folder, 'go.mod')))
    throw new Error(`${source} has no folder conformance with a module`);
  return folder;
}
