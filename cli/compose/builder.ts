import { spawn, spawnSync } from 'node:child_process';
import type { Build } from '../../shared/compose/map/build.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** docker, or podman, whose engine answers. */
export type Builder = 'docker' | 'podman';

/** @throws Failure `no-builder` */
export function findBuilder(): Builder {
  const reasons: string[] = [];
  for (const program of ['docker', 'podman'] as const) {
    const { error, status, stderr } = spawnSync(program, ['version'], { encoding: 'utf8', timeout: 20_000 });
    if (error === undefined && status === 0) return program;
    const isMissing = (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    reasons.push(
      `${program} ${isMissing ? 'is not installed' : `does not answer (${(stderr || error?.message || '').trim().split('\n').at(-1)})`}`,
    );
  }
  throw new Failure({
    code: 'no-builder',
    message: `An image has to be built, and there is no engine for it: ${reasons.join('; ')}.`,
    remedy:
      'Start Docker or Podman, or name its engine in DOCKER_HOST; or build the image elsewhere, push it, and write image in place of build.',
    exitCode: exitCodes.unreachable,
  });
}

/** What is run to build an image under this name. */
export const buildCommand = (build: Build, tag: string): readonly string[] => [
  'build',
  '--tag',
  tag,
  ...(build.inline === undefined ? [] : ['--file', '-']),
  ...build.options,
  build.context,
];

/**
 * Builds an image; what the engine says of it goes to stderr.
 * @throws Failure `build-failed`, `interrupted`
 */
export async function build(
  builder: Builder,
  build: Build,
  tag: string,
  interrupted: AbortSignal,
): Promise<void> {
  const args = buildCommand(build, tag);
  const child = spawn(builder, args, {
    stdio: ['pipe', process.stderr, process.stderr],
    signal: interrupted,
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(build.inline ?? '');
  const ended = await new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (code, signal) => resolve(code ?? new Error(`it was ended by ${signal}`)));
  });
  if (ended === 0) return;
  throw new Failure({
    code: interrupted.aborted ? 'interrupted' : 'build-failed',
    message: `${build.at.file}:${build.at.line}:${build.at.column}: services.${build.service}.build: ${builder} build ended with ${ended instanceof Error ? ended.message : ended}.`,
    remedy: `Nothing was deployed. What it ran: ${builder} ${args.join(' ')}`,
    exitCode: exitCodes.failed,
  });
}
