import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { Retryable } from '../../../shared/model/errors.ts';
import { endingFile } from './boot-script.ts';
import { demultiplex, type EngineApi, readAll } from './engine-api.ts';
import { dataCentreLabel, machineLabel } from './machine-container.ts';
import type { MachineProgram, ProgramEnd } from './machine-runtime.ts';

const State = z.object({
  Status: z.string(),
  Running: z.boolean(),
  ExitCode: z.number(),
  StartedAt: z.string(),
});

const Inspected = z.object({ Id: z.string(), State });

export type MachineState = z.infer<typeof Inspected>;

/** The container of a machine as the engine has it; undefined if it has none. */
export async function inspectMachine(
  engine: EngineApi,
  container: string,
): Promise<MachineState | undefined> {
  try {
    return await engine.json(Inspected, 'GET', `/containers/${container}/json`);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'status' in error && error.status === 404;

/** What the system of a stopped machine did last: undefined when it was killed. */
export async function readEnding(engine: EngineApi, container: string): Promise<string | undefined> {
  try {
    const archive = await engine.stream('GET', `/containers/${container}/archive?path=${endingFile}`);
    const files = archive.pipe(extract());
    for await (const file of files) return (await readAll(Readable.from(file))).toString().trim();
    return undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

const Listed = z.object({ Labels: z.record(z.string(), z.string()) });

/** Names of all machines of a data centre that have a container. */
export async function listMachines(engine: EngineApi, id: string): Promise<readonly string[]> {
  const filters = JSON.stringify({ label: [`${dataCentreLabel}=${id}`, machineLabel] });
  const query = new URLSearchParams({ all: 'true', filters });
  const found = await engine.json(z.array(Listed), 'GET', `/containers/json?${query}`);
  return found.map(({ Labels }) => Labels[machineLabel] ?? '').sort();
}

/** Runs a program in a running machine as root, and waits for its end. */
export async function runProgram(
  engine: EngineApi,
  container: string,
  { command, input }: MachineProgram,
): Promise<ProgramEnd> {
  const Created = z.object({ Id: z.string() });
  const request = { Cmd: command, AttachStdin: input !== undefined, AttachStdout: true, AttachStderr: true };
  const { Id } = await engine.json(Created, 'POST', `/containers/${container}/exec`, request);
  const how = { Detach: false, Tty: false };
  const output = demultiplex(
    input === undefined
      ? await readAll(await engine.stream('POST', `/exec/${Id}/start`, how))
      : await engine.converse(`/exec/${Id}/start`, how, input),
  );
  const Ended = z.object({ ExitCode: z.number().nullable() });
  const { ExitCode } = await engine.json(Ended, 'GET', `/exec/${Id}/json`);
  // Without one it was killed together with its machine.
  return { exitCode: ExitCode ?? 137, ...output };
}

/**
 * Runs a command in a running machine as root and answers its output.
 * @throws Retryable `machine-command-failed`
 */
export async function execute(
  engine: EngineApi,
  container: string,
  command: readonly string[],
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(engine, container, { command });
  if (exitCode === 0) return stdout;
  throw new Retryable({
    code: 'machine-command-failed',
    message: `${command.join(' ')} in ${container} ended with ${exitCode}: ${stderr.trim()}`,
    remedy: 'Look at the machine’s console log.',
  });
}
