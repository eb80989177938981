import type { ContainerRequest, Engine, Mount } from '../docker/engine.ts';
import { tar } from '../docker/tar.ts';
import { Terminal } from '../model/errors.ts';
import { type ConfigUse, configTarget, type SecretUse, secretTarget } from '../model/files.ts';
import type { ApplicationName, EnvironmentName } from '../model/names.ts';
import { contentOf } from './config-contents.ts';
import type { WorkloadPorts } from './ports.ts';
import { labels } from './replica-container.ts';

/** What a container is to be given as files. */
export interface Wanted {
  readonly configs?: readonly ConfigUse[] | undefined;
  readonly secrets?: readonly SecretUse[] | undefined;
  readonly user?: string | undefined;
}

/** Whose it is: secrets and configs are looked up there. */
export interface Owner {
  readonly environment: EnvironmentName;
  readonly application: ApplicationName;
}

interface ContainerFile {
  readonly target: string;
  readonly content: Uint8Array;
  /** Octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Memory of the machine: /run is a tmpfs on every systemd host, so that no secret comes to its disk. The machine's agent
 * removes what no container has any more.
 */
const FOLDER = '/run/berth/files';
/** Where the container that carries the files there sees that folder. */
const CARRIED = '/berth-files';
/** The folder itself is made by the engine, open to whoever is on the machine; this one below it is not. */
const CLOSED = 'own/';
const CONFIG_MODE = '0444';
const SECRET_MODE = '0400';

/** The versions of secrets that a container was given: `db-password=3,token=1`. */
export const versionsText = (versions: Readonly<Record<string, number>>): string =>
  Object.entries(versions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, version]) => `${name}=${version}`)
    .join(',');

/** What `versionsText` made; nothing of what it did not. */
export const versionsOf = (text: string | undefined): Readonly<Record<string, number>> =>
  Object.fromEntries(
    (text ?? '').split(',').flatMap((part) => {
      const [name = '', version] = part.split('=');
      return version === undefined ? [] : [[name, Number(version)] as const];
    }),
  );

/** Whether a container is given any: its image has to be on the machine before them. */
export const wantsFiles = ({ configs = [], secrets = [] }: Wanted): boolean =>
  configs.length + secrets.length > 0;

/**
 * The request with its configs and secrets, which lie on the machine from here on: before the container is made, so that its
 * process finds them. No part of the request holds a value.
 * @throws Terminal `secret-missing`, `config-missing`
 */
export async function withFiles(
  ports: Pick<WorkloadPorts, 'stores' | 'secrets'>,
  engine: Engine,
  owner: Owner,
  wanted: Wanted,
  request: ContainerRequest,
): Promise<ContainerRequest> {
  if (!wantsFiles(wanted)) return request;
  const { secrets = [] } = wanted;
  const found = await filesOf(ports, owner, wanted);
  const mounts = await carry(engine, request, found.files);
  const paths = secrets.flatMap((use) =>
    use.env === undefined ? [] : [[use.env, secretTarget(use)] as const],
  );
  return {
    ...request,
    environment: { ...request.environment, ...Object.fromEntries(paths) },
    labels: {
      ...request.labels,
      ...(secrets.length > 0 && { [labels.secrets]: versionsText(found.versions) }),
    },
    mounts: [...(request.mounts ?? []), ...mounts],
  };
}

async function filesOf(
  { stores, secrets }: Pick<WorkloadPorts, 'stores' | 'secrets'>,
  { environment, application }: Owner,
  wanted: Wanted,
): Promise<{ files: ContainerFile[]; versions: Record<string, number> }> {
  const [, uid, gid = uid] = /^(\d+)(?::(\d+))?$/.exec(wanted.user ?? '') ?? [];
  const ids = { uid: Number(uid ?? 0), gid: Number(gid ?? 0) };
  const files: ContainerFile[] = [];
  const versions: Record<string, number> = {};
  for (const use of wanted.configs ?? []) {
    const content = use.digest && (await contentOf(stores.configs, use.digest));
    if (content === undefined) throw configMissing(use.config);
    files.push({ target: configTarget(use), content, mode: CONFIG_MODE, ...ids, ...chosen(use) });
  }
  for (const use of wanted.secrets ?? []) {
    const name = use.name ?? use.secret;
    const record = await secrets.find(environment, application, name);
    // One that is changed at this moment has another record by now.
    const again = async () => {
      const newer = await secrets.find(environment, application, name);
      return newer && { version: newer.version, value: await secrets.open(newer) };
    };
    const value = record && (await secrets.open(record));
    const opened = value === undefined ? await again() : { version: record?.version ?? 0, value };
    if (opened?.value === undefined) throw secretMissing(name, environment);
    versions[name] = opened.version;
    files.push({
      target: secretTarget(use),
      content: opened.value.reveal(),
      mode: SECRET_MODE,
      ...ids,
      ...chosen(use),
    });
  }
  return { files, versions };
}

const chosen = ({ mode, uid, gid }: Pick<ConfigUse, 'mode' | 'uid' | 'gid'>) => ({
  ...(mode !== undefined && { mode }),
  ...(uid !== undefined && { uid }),
  ...(gid !== undefined && { gid }),
});

/**
 * Files get onto a machine through a container that is never started: the engine unpacks an archive into a folder that it
 * mounts, and a container's own mounts may then be read-only ones of single files, also where its file system is read-only.
 */
async function carry(
  engine: Engine,
  { name, image, labels: given }: ContainerRequest,
  files: readonly ContainerFile[],
): Promise<readonly Mount[]> {
  const folder = `${FOLDER}/${name}`;
  const carrier = await engine.create({
    name: `${name}.files`,
    image,
    command: ['-'],
    environment: {},
    labels: { ...ownersOf(given), [labels.filesOf]: name },
    cpu: 0.01,
    memory: 16,
    publish: undefined,
    stopGrace: 0,
    mounts: [{ type: 'folder', source: folder, target: CARRIED, readOnly: false }],
  });
  try {
    const entries = files.map(({ content, mode, uid, gid }, index) => ({
      path: `${CLOSED}${index}`,
      content,
      mode: Number.parseInt(mode, 8),
      uid,
      gid,
    }));
    const closed = { path: CLOSED, content: '', mode: 0o700 };
    await engine.putArchive(carrier.id, CARRIED, tar([closed, ...entries]));
  } finally {
    await engine.remove(carrier.id);
  }
  return files.map(({ target }, index) => ({
    type: 'bind',
    source: `${folder}/${CLOSED}${index}`,
    target,
    readOnly: true,
  }));
}

/** Whose it is, so that the sweep knows when nobody is about to use it. */
const ownersOf = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).filter(([label]) =>
      [labels.environment, labels.service, labels.job, labels.run].some((one) => one === label),
    ),
  );

const secretMissing = (name: string, environment: string) =>
  new Terminal({
    code: 'secret-missing',
    status: 409,
    message: `There is no secret ${name} in environment ${environment} any more.`,
    remedy: `Set it: berth secrets set ${name} --environment ${environment}`,
  });

const configMissing = (name: string) =>
  new Terminal({
    code: 'config-missing',
    status: 409,
    message: `The content of the config ${name} is not there any more.`,
    remedy: 'Deploy the application again.',
  });
