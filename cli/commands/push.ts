import { type Command, Option } from 'commander';
import type { ImageReference } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { imageNamed, imageText } from '../image-name.ts';
import type { Compression } from '../push/compress.ts';
import { summaryOf } from '../push/push-image.ts';
import { pushLocal } from '../push/push-local.ts';
import { isArchive } from '../push/take-image.ts';
import { type Session, withSession } from '../session.ts';

interface Options {
  readonly compress: Compression;
  readonly platform?: string;
  readonly indirect?: boolean;
}

export function addPush(program: Command): void {
  program
    .command('push')
    .description(
      'pushes an image of the local engine, or of a file, straight to the storage where that is possible',
    )
    .argument(
      '<image>',
      'name in Docker or Podman; or a file of docker save, or a file or folder of an OCI layout',
    )
    .argument('[reference]', 'repository:tag in the registry; the name itself if not said')
    .addOption(
      new Option('--compress <kind>', 'how layers that are not compressed are')
        .choices(['gzip', 'zstd', 'none'])
        .default('gzip'),
    )
    .option('--platform <os/architecture>', 'one platform of an image that has several')
    .option('--indirect', 'through the registry alone, never straight to the storage')
    .action((image: string, reference: string | undefined, options: Options, command: Command) =>
      withSession(command, (session) => push(session, image, reference, options)),
    );
}

async function push(
  session: Session,
  image: string,
  reference: string | undefined,
  options: Options,
): Promise<void> {
  const target = await targetOf(session, image, reference);
  const pushed = await pushLocal(session, image, target, {
    compression: options.compress,
    platform: options.platform,
    indirect: options.indirect === true,
    name: reference,
  });
  session.output.data(
    { reference: imageText(target), ...pushed },
    () => `${imageText(target)} is ${pushed.digest}: ${summaryOf(pushed)}`,
  );
}

/** Where it goes: the reference, or the image's own name if that is a name in this registry. @throws Failure */
async function targetOf(
  session: Session,
  image: string,
  reference: string | undefined,
): Promise<ImageReference> {
  if (reference === undefined && (await isArchive(image)))
    throw missing(`"${image}" is a file, and so no name in the registry.`);
  const target = imageNamed(session, reference ?? image);
  const [first = '', ...rest] = target.repository.split('/');
  // `ghcr.io/acme/web`: of another registry, though it could be one of ours.
  if (reference === undefined && rest.length > 0 && (first.includes('.') || first === 'localhost'))
    throw missing(`"${image}" is a name in another registry.`);
  if (target.digest !== undefined)
    throw missing(`"${reference ?? image}" names a digest, and a push sets a tag.`);
  return target;
}

const missing = (message: string): Failure =>
  new Failure({
    code: 'reference-missing',
    message,
    remedy: 'Say where it goes: berth push IMAGE repository:tag',
    exitCode: exitCodes.usage,
  });
