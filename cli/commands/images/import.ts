import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { getImport, type ImportView, startImport } from '../../../shared/api/routes/imports.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { imageNamed, tagOf } from '../../image-name.ts';
import { type Session, withSession } from '../../session.ts';

interface Options {
  readonly as?: string;
  readonly platform?: string;
  readonly allPlatforms?: boolean;
  readonly withReferrers?: boolean;
  readonly detach?: boolean;
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

function progressText({ progress }: ImportView): string | undefined {
  if (progress === undefined) return undefined;
  const { doing, blobs, bytes } = progress;
  return `${doing}: ${blobs.done} of ${blobs.all} blobs, ${megabytes(bytes.done)} of ${megabytes(bytes.all)}`;
}

export function addImport(images: Command): void {
  images
    .command('import')
    .description('brings an image of another registry, with all its platforms unless one is named')
    .argument('<image>', 'as docker pull names it: docker.io/library/nginx:1.27')
    .option('--as <image>', 'what it is called here; the same name without the host if left out')
    .option('--platform <platform>', 'only the image for this one: linux/amd64')
    .option('--all-platforms', 'the whole index, byte for byte, which is the default')
    .option('--with-referrers', 'also signatures, attestations and whatever else refers to it')
    .option('--detach', 'does not wait for its end')
    .action((from: string, options: Options, command: Command) => {
      if (options.platform !== undefined && options.allPlatforms === true)
        throw new Failure({
          code: 'options-exclusive',
          message: '--platform and --all-platforms exclude each other.',
          exitCode: exitCodes.usage,
        });
      return withSession(command, async (session) => {
        const { client, output } = session;
        const { as } = options;
        const to = as === undefined ? undefined : imageNamed(session, as);
        const json = {
          from,
          ...(as === undefined || to === undefined
            ? {}
            : { to: { repository: to.repository, tag: tagOf(to, as) } }),
          ...(options.platform === undefined ? {} : { platform: options.platform }),
          referrers: options.withReferrers === true,
        };
        const { id } = await client.call(startImport, { json });
        if (options.detach === true) return output.data({ id }, () => id);
        const view = await awaitImport(session, id);
        const { repository, tag } = view.to;
        output.data(view, () => `${repository}${tag === undefined ? '' : `:${tag}`}  ${view.result.digest}`);
      });
    });
}

type DoneImport = ImportView & { readonly result: Extract<ImportView['result'], { state: 'done' }> };

/** Says how far an import is, until its end. @throws Failure if it failed, and `interrupted` */
export async function awaitImport({ client, output, interrupted }: Session, id: string): Promise<DoneImport> {
  let said: string | undefined;
  for (;;) {
    const view = await client.call(getImport, { params: { import: id } });
    const text = progressText(view);
    if (text !== undefined && text !== said) output.say(text);
    said = text;
    const { result } = view;
    if (result?.state === 'done') return { ...view, result };
    if (result !== undefined)
      throw new Failure({
        code: result.code,
        message: result.reason,
        remedy: result.remedy,
        exitCode: exitCodes.failed,
      });
    if (interrupted.aborted)
      throw new Failure({
        code: 'interrupted',
        message: `No longer waiting; ${id} goes on.`,
        remedy: 'Import it again to see its end: what has arrived is not fetched again.',
        exitCode: exitCodes.failed,
      });
    await sleep(500, undefined, { signal: interrupted }).catch(() => undefined);
  }
}
