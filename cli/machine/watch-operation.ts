import { setTimeout as sleep } from 'node:timers/promises';
import { getMachineOperation, type MachineOperation } from '../../shared/api/routes/by-hand.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';

/** Milliseconds between two looks. */
const EVERY = 700;

/**
 * Waits until an operation has ended, and says what it is at. Ctrl-C ends the waiting, not the operation.
 * @throws Failure the operation's own, `no-longer-waiting`
 */
export async function watchOperation(session: Session, begun: MachineOperation): Promise<MachineOperation> {
  const { client, output, interrupted } = session;
  const begin = Date.now();
  let said: string | undefined;
  for (let operation = begun; ; ) {
    if (operation.status === 'failed') throw failed(operation);
    if (operation.status === 'done') return operation;
    if (operation.step !== undefined && operation.step !== said) {
      said = operation.step;
      output.say(`${seconds(begin)}  ${operation.machine}: ${stepText(said)}`);
    }
    await sleep(EVERY, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) throw stillGoing(operation);
    operation = await client.call(getMachineOperation, { params: { operation: begun.operation } });
  }
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1).padStart(6)}s`;

/** What people read for the names of steps; one that is not known here is shown as it is. */
const steps: Readonly<Record<string, string>> = {
  network: 'network',
  'public-ip': 'public address',
  'security-group': 'security group: who may reach it',
  nic: 'network interface',
  vm: 'virtual machine',
  registration: 'it boots, installs its engine and registers',
  power: 'power',
  report: 'its engine is to report',
};

const stepText = (step: string): string => steps[step] ?? step;

const failed = ({ machine, kind, code, reason, remedy }: MachineOperation): Failure =>
  new Failure({
    code: code ?? `machine-${kind}-failed`,
    message: `${machine}: ${reason ?? `${kind} failed, and no reason was given`}`,
    remedy: remedy ?? `Look at it: berth machine inspect ${machine}; berth machine console ${machine}`,
    exitCode: exitCodes.failed,
  });

const stillGoing = ({ machine, kind }: MachineOperation): Failure =>
  new Failure({
    code: 'no-longer-waiting',
    message: `No longer waiting; ${machine}: ${kind} goes on.`,
    remedy: `Look at it: berth machine status ${machine}${kind === 'create' ? `; take it back: berth machine rm -y ${machine}` : ''}`,
    exitCode: exitCodes.failed,
  });
