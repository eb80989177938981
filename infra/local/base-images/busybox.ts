import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Terminal } from '../../../shared/model/errors.ts';
import { finish, hasImage, repositoryAndTag } from '../machine-runtime/base-image.ts';
import { run } from '../machine-runtime/command.ts';
import type { EngineApi } from '../machine-runtime/engine-api.ts';
import { installed } from '../machine-runtime/install-engine.ts';
import { busyboxTar } from './busybox-tar.ts';

/**
 * Makes, or finds, the image `busybox`; answers its name in the engine. Of Debian's busybox-static where there is
 * apt, else pulled from the public registry.
 */
export async function ensureBusyboxImage(
  engine: EngineApi,
  options: { readonly cache: string; readonly report: (line: string) => void },
): Promise<string> {
  const name = 'berth/busybox:local';
  if (await hasImage(engine, name)) return name;
  if (installed('apt-get') && installed('dpkg-deb')) {
    options.report('making the image busybox of the Debian package busybox-static');
    await importBusybox(engine, await readBusybox(options.cache), name);
  } else {
    options.report('pulling the image busybox');
    const query = new URLSearchParams({ fromImage: 'docker.io/library/busybox', tag: 'latest' });
    await finish(await engine.stream('POST', `/images/create?${query}`));
    const tag = new URLSearchParams(repositoryAndTag(name));
    await engine.send('POST', `/images/busybox:latest/tag?${tag}`);
  }
  return name;
}

interface Busybox {
  readonly binary: Buffer;
  /** Absolute paths that it answers to. */
  readonly applets: readonly string[];
}

/** Takes the program out of its package, without installing it. */
async function readBusybox(cache: string): Promise<Busybox> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'busybox-'));
  try {
    await download(folder);
    const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
    if (file === undefined)
      throw new Terminal({
        code: 'package-missing',
        message: 'apt-get download busybox-static left no package',
        remedy:
          'See whether this computer’s apt sources have busybox-static: apt-cache policy busybox-static',
      });
    await run('dpkg-deb', ['--extract', join(folder, file), join(folder, 'root')]);
    const program = join(folder, 'root', 'bin', 'busybox');
    const applets = (await run(program, ['--list-full'])).trim().split('\n');
    return { binary: readFileSync(program), applets: applets.map((applet) => `/${applet}`) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** apt-get writes into its working directory. Without package lists it fails; root can get them. */
async function download(folder: string): Promise<void> {
  const get = () => run('sh', ['-c', 'cd "$1" && apt-get download -q busybox-static', 'sh', folder]);
  try {
    await get();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-q']);
    await get();
  }
}

async function importBusybox(engine: EngineApi, busybox: Busybox, name: string): Promise<void> {
  const query = new URLSearchParams({ fromSrc: '-', ...repositoryAndTag(name) });
  query.append('changes', 'CMD ["sh"]');
  const digest = createHash('sha256').update(busybox.binary).digest('hex');
  query.append('changes', `LABEL berth.busybox=${digest}`);
  await finish(await engine.stream('POST', `/images/create?${query}`, busyboxTar(busybox)));
}
