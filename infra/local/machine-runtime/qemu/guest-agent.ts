import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { MachineProgram, ProgramEnd } from '../machine-runtime.ts';
import { type Exchange, exchange } from './socket-exchange.ts';

const Started = z.object({ pid: z.number().int() });
const Status = z.object({
  exited: z.boolean(),
  exitcode: z.number().int().optional(),
  signal: z.number().int().optional(),
  'out-data': z.string().default(''),
  'err-data': z.string().default(''),
});

const ANSWER_MS = 10_000;
const PROGRAM_MS = 120_000;
const PAUSE_MS = 100;

/** What was asked before, by a process that is gone, may still be answered: the agent is brought in step first. */
async function inStep(agent: Exchange): Promise<void> {
  const id = randomInt(2 ** 31);
  agent.send('\xff');
  agent.send(`${JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } })}\n`);
  for (;;) if ((await agent.next())['return'] === id) return;
}

/** Whether the agent of a machine answers: it does once the machine has booted. */
export const agentAnswers = (socket: string): Promise<boolean> =>
  exchange(socket, ANSWER_MS, inStep).then(
    () => true,
    () => false,
  );

/**
 * Runs a program as root and answers what it wrote once it has ended; the agent keeps 16 MiB of it.
 * https://www.qemu.org/docs/master/interop/qemu-ga-ref.html#qapidoc-guest-exec
 */
export const runByAgent = (socket: string, { command, input }: MachineProgram): Promise<ProgramEnd> =>
  exchange(socket, PROGRAM_MS, async (agent) => {
    await inStep(agent);
    const [path, ...arg] = command;
    const { pid } = Started.parse(
      await agent.ask('guest-exec', {
        path,
        arg,
        'capture-output': true,
        ...(input !== undefined && { 'input-data': Buffer.from(input).toString('base64') }),
      }),
    );
    for (;;) {
      const status = Status.parse(await agent.ask('guest-exec-status', { pid }));
      if (status.exited)
        return {
          exitCode: status.exitcode ?? 128 + (status.signal ?? 0),
          stdout: Buffer.from(status['out-data'], 'base64').toString(),
          stderr: Buffer.from(status['err-data'], 'base64').toString(),
        };
      await sleep(PAUSE_MS);
    }
  });
