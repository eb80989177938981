import { z } from 'zod';
import { Digest } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Archive } from './archive.ts';
import { isFor, manifestTypes, OwnPlatform, otherPlatform } from './manifest.ts';
import type { LocalImage, Wanted } from './read-image.ts';
import { bytesOf, partOf, type Region } from './region.ts';

/** manifest.json of what docker save writes: https://github.com/moby/docker-image-spec/blob/v1.2.0/spec.md */
const Images = z
  .array(
    z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
  )
  .min(1);

const Config = OwnPlatform.extend({ rootfs: z.object({ diff_ids: z.array(Digest) }) });

/**
 * @param wanted `name` of the image, where the archive has several
 * @throws Failure `archive-invalid`, `archive-incomplete`, `archive-ambiguous`, `platform-not-here`
 */
export async function readDockerArchive(archive: Archive, { name, platform }: Wanted): Promise<LocalImage> {
  const images = Images.safeParse(await archive.json('manifest.json'));
  if (!images.success) throw invalid(archive, 'its manifest.json names no image');
  const [first, second] = images.data;
  const image =
    second === undefined
      ? first
      : images.data.find(({ RepoTags }) => RepoTags?.some((tag) => tag === name || tag.endsWith(`/${name}`)));
  if (image === undefined) {
    const names = images.data.map(({ RepoTags, Config: config }) => RepoTags?.[0] ?? config);
    throw new Failure({
      code: 'archive-ambiguous',
      message: `${archive.name} holds several images: ${names.join(', ')}.`,
      remedy: 'Save one image alone.',
      exitCode: exitCodes.usage,
    });
  }
  const config = Config.safeParse(await archive.json(image.Config)).data;
  if (config?.rootfs.diff_ids.length !== image.Layers.length)
    throw invalid(archive, `${image.Config} does not name its ${image.Layers.length} layers`);
  if (platform !== undefined && !isFor(config, platform)) throw otherPlatform(archive.name, platform, config);
  return {
    kind: 'image',
    manifest: undefined,
    config: { region: archive.region(image.Config), digest: undefined, mediaType: manifestTypes.ociConfig },
    layers: await Promise.all(
      image.Layers.map(async (path) => {
        const region = archive.region(path);
        return { region, digest: undefined, mediaType: await typeOf(region) };
      }),
    ),
    diffIds: config.rootfs.diff_ids,
  };
}

/** Engines write plain tars; other tools also what a registry gave them. */
async function typeOf(region: Region): Promise<string> {
  const start = (await bytesOf(partOf(region, 0, Math.min(4, region.size)))).toString('hex');
  if (start.startsWith('1f8b')) return `${manifestTypes.ociLayer}+gzip`;
  return start === '28b52ffd' ? `${manifestTypes.ociLayer}+zstd` : manifestTypes.ociLayer;
}

const invalid = (archive: Archive, reason: string): Failure =>
  new Failure({
    code: 'archive-invalid',
    message: `${archive.name} is no archive of an image: ${reason}.`,
    remedy: 'Write it anew: docker save, podman save, or skopeo copy … oci:…',
    exitCode: exitCodes.usage,
  });
