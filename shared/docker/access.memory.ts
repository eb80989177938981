import { Terminal } from '../model/errors.ts';
import type { Channel, ContainerAccess, ExecRequest, Piece, TerminalSize } from './access.ts';
import type { MemoryEngine } from './engine.memory.ts';
import { faults } from './faults.ts';

export interface MemoryAccess extends ContainerAccess {
  readonly ran: readonly (ExecRequest & { readonly container: string })[];
  readonly sizes: readonly TerminalSize[];
  /** Archives by container and path. */
  readonly files: Map<string, Uint8Array>;
}

/**
 * Commands in containers of a simulated engine: `cat` gives back what it is given, `exit N` ends so, `wc` counts bytes, `echo`
 * says its words, `sh` says to stderr what it is told, and anything else cannot be run (127).
 */
export function memoryAccess(engine: MemoryEngine): MemoryAccess {
  const ran: (ExecRequest & { container: string })[] = [];
  const sizes: TerminalSize[] = [];
  const files = new Map<string, Uint8Array>();
  const running = async (container: string) => {
    const found = await engine.inspect(container);
    if (found === undefined) throw faults.containerNotFound(container);
    if (found.state.state !== 'running') throw faults.notRunning(`${found.name} is not running`);
    return found;
  };
  return {
    ran,
    sizes,
    files,
    async exec(container, request, size) {
      const { id } = await running(container);
      ran.push({ ...request, container: id });
      if (size !== undefined) sizes.push(size);
      return program(request, (given) => void sizes.push(given));
    },
    async stat(container, path) {
      await running(container);
      const bytes = files.get(`${container}:${path}`);
      if (bytes === undefined)
        throw new Terminal({ code: 'path-not-found', status: 404, message: `no ${path}`, remedy: 'Look.' });
      return { name: path.split('/').at(-1) ?? '', size: bytes.length, isFolder: false, linkTarget: '' };
    },
    async getArchive(container, path) {
      const bytes = files.get(`${container}:${path}`);
      if (bytes === undefined)
        throw new Terminal({ code: 'path-not-found', status: 404, message: `no ${path}`, remedy: 'Look.' });
      return (async function* () {
        yield bytes;
      })();
    },
    async putArchive(container, folder, archive) {
      await running(container);
      const chunks: Uint8Array[] = [];
      for await (const chunk of archive) chunks.push(chunk);
      files.set(`${container}:${folder}`, Buffer.concat(chunks));
    },
    async usage(container) {
      const found = await engine.inspect(container);
      if (found?.state.state !== 'running') return undefined;
      const time = new Date().toISOString();
      return { time, cpu: 1, memory: 1_048_576, memoryLimit: 67_108_864, received: 10, sent: 20 };
    },
  };
}

function program(request: ExecRequest, resized: (size: TerminalSize) => void): Channel {
  const [name, ...words] = request.command;
  const given: Uint8Array[] = [];
  const said: Piece[] = [];
  let wake = () => {};
  let code: number | undefined;
  const end = (exitCode: number) => {
    code ??= exitCode;
    wake();
  };
  const say = (bytes: Uint8Array, stream: Piece['stream'] = 'stdout') => {
    said.push({ stream, bytes });
    wake();
  };
  const ended = () => {
    if (name === 'wc') say(Buffer.from(`${Buffer.concat(given).length}\n`));
    end(0);
  };
  if (name === 'exit') end(Number(words[0] ?? 0));
  else if (name === 'echo') {
    say(Buffer.from(`${words.join(' ')}\n`));
    end(0);
  } else if (name !== 'cat' && name !== 'wc' && name !== 'sh') {
    say(Buffer.from(`${name}: not found\n`), 'stderr');
    end(127);
  } else if (!request.stdin) ended();
  return {
    async write(bytes) {
      given.push(bytes);
      if (name === 'cat') say(bytes);
      if (name === 'sh') say(bytes, request.tty ? 'stdout' : 'stderr');
    },
    end: ended,
    output: (async function* () {
      for (;;) {
        const next = said.shift();
        if (next !== undefined) yield next;
        else if (code !== undefined) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })(),
    exit: async () => code,
    resize: async (size) => resized(size),
    close: () => end(137),
  };
}
