import type { Machine } from '../../shared/model/machine.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** Where this computer reaches a machine: at its public address if it has one. @throws Failure `machine-without-address` */
export function addressOf(machine: Machine): string {
  const address = machine.publicAddress ?? machine.address;
  if (address !== undefined) return address;
  throw new Failure({
    code: 'machine-without-address',
    message: `${machine.name} has no address yet: it is ${machine.status.state}.`,
    remedy: `Look at it until it is ready: berth machine status ${machine.name}`,
    exitCode: exitCodes.failed,
  });
}

const ENGINE_PORT = 2376;

/** As in DOCKER_HOST. 2376 is the engine's port with mutual TLS. @throws Failure `machine-without-address` */
export const engineUrl = (machine: Machine): string => `tcp://${addressOf(machine)}:${ENGINE_PORT}`;

/** @throws Failure `machine-without-address` */
export const engineAt = (machine: Machine) => ({ host: addressOf(machine), port: ENGINE_PORT });

/** @throws Failure `machine-not-ready` for one whose engine cannot answer now */
export function mustRun(machine: Machine): Machine {
  const { name, status } = machine;
  if (status.state === 'ready' || status.state === 'silent') return machine;
  const why = status.state === 'failed' ? `: ${status.reason}` : '';
  throw new Failure({
    code: 'machine-not-ready',
    message: `${name} is ${status.state}${why}.`,
    remedy:
      status.state === 'stopped' || status.state === 'stopping'
        ? `Start it: berth machine start ${name}`
        : status.state === 'failed'
          ? `See what its console said: berth machine console ${name}`
          : `Wait until it is ready; berth machine status ${name} tells.`,
    exitCode: exitCodes.failed,
  });
}
