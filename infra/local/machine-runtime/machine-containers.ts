import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { Retryable } from '../../../shared/model/errors.ts';
import { endingFile } from './boot-script.ts';
import { demultiplex, type EngineApi, readAll } from './engine-api.ts';
import { dataCentreLabel, machineLabel } from './machine-container.ts';

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

/**
 * Runs a command in a running machine as root and answers its output.
 * @throws Retryable `machine-command-failed`
 */
export async function execute(
  engine: EngineApi,
  container: string,
  command: readonly string[],
): Promise<string> {
  const Created = z.object({ Id: z.string() });
  const request = { Cmd: command, AttachStdout: true, AttachStderr: true };
  const { Id } = await engine.json(Created, 'POST', `/containers/${container}/exec`, request);
  const output = demultiplex(
    await readAll(await engine.stream('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })),
  );
  const { ExitCode } = await engine.json(
    z.object({ ExitCode: z.number().nullable() }),
    'GET',
    `/exec/${Id}/json`,
  );
  if (ExitCode === 0) return output.stdout;
  throw new Retryable({
    code: 'machine-command-failed',
    message: `${command.join(' ')} in ${container} ended with ${ExitCode}: ${output.stderr.trim()}`,
    remedy: 'Look at the machine’s console log.',
  });
}
