import { startImport } from '../../shared/api/routes/imports.ts';
import { locateImage } from '../../shared/api/routes/located-images.ts';
import { imageKey, type NamedImage } from '../../shared/compose/map/map-service.ts';
import { awaitImport } from '../commands/images/import.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { imageNamed, imageText } from '../image-name.ts';
import type { Session } from '../session.ts';

/** Where the images of a project are. */
export interface Located {
  /** imageKey → `repository:tag` of what is here. */
  readonly found: ReadonlyMap<string, string>;
  /** Images that are elsewhere. */
  readonly missing: readonly { readonly named: NamedImage; readonly image: string }[];
}

/** Where images are in Berth's registry that a compose file names as docker does: its own, copies of sources, imports. */
export async function findImages(session: Session, images: readonly NamedImage[]): Promise<Located> {
  const { client, output } = session;
  const found = new Map<string, string>();
  const missing: Located['missing'][number][] = [];
  for (const named of images) {
    const { service, image } = named;
    const key = imageKey(named);
    if (client.connection.registries.some((host) => image.startsWith(`${host}/`))) {
      found.set(key, imageText(imageNamed(session, image)));
      continue;
    }
    const located = await client.call(locateImage, { query: { image } });
    if (located.found === undefined) {
      missing.push({ named, image: located.image });
      continue;
    }
    const { repository, tag, digest, by } = located.found;
    const text = imageText({ repository, tag, digest });
    if (by !== 'own') output.say(`${service}: ${image} is ${text} here${by === 'copy' ? ', a copy' : ''}`);
    found.set(key, text);
  }
  return { found, missing };
}

/** @returns imageKey → `repository:tag` of what was brought */
export async function importImages(
  session: Session,
  missing: Located['missing'],
): Promise<ReadonlyMap<string, string>> {
  const brought = new Map<string, string>();
  for (const { named, image } of missing) {
    session.output.say(`${named.service}: importing ${image}`);
    const { id } = await session.client.call(startImport, { json: { from: image, referrers: false } });
    const { to, result } = await awaitImport(session, id);
    brought.set(
      imageKey(named),
      imageText({
        repository: to.repository,
        tag: to.tag,
        digest: to.tag === undefined ? result.digest : undefined,
      }),
    );
  }
  return brought;
}

/** @throws Failure `image-elsewhere`: which are not here, with the commands that bring them */
export function refuseElsewhere({ missing }: Located): void {
  if (missing.length > 0) throw elsewhere(missing);
}

function elsewhere(missing: Located['missing']): Failure {
  const images = [...new Set(missing.map(({ image }) => image))];
  const hosts = [...new Set(images.map((image) => image.slice(0, image.indexOf('/'))))];
  const commands = [
    ...images.map((image) => `berth images import ${image}`),
    ...hosts.map((host) => `berth registry sources create ${nameOf(host)} --from ${host}`),
  ];
  return new Failure({
    code: 'image-elsewhere',
    message: missing
      .map(
        ({ named: { service, at }, image }) =>
          `${at.file}:${at.line}:${at.column}: services.${service}.image: ${image} is not in Berth's registry, and no source mirrors it.`,
      )
      .join('\n'),
    remedy: `Nothing was changed. Bring it once (--import does so), or mirror its registry: ${commands.join(' | ')}`,
    exitCode: exitCodes.usage,
  });
}

/** `docker.io` → `docker`, `ghcr.io` → `ghcr`: a name for a source. */
const nameOf = (host: string): string =>
  host === 'docker.io'
    ? 'hub'
    : (host.split(/[.:]/).find((part) => /^[a-z][a-z0-9-]*$/.test(part)) ?? 'mirror');
