import { parseArgs } from 'node:util';
import { Terminal } from '../../../shared/model/errors.ts';
import { MachineKind } from '../data-centre.ts';

export interface Options {
  /** Do the main job, check its answers, remove everything, end. */
  readonly once: boolean;
  /** Forget the state first. */
  readonly reset: boolean;
  /** Load the package that goes to Azure instead of the sources. */
  readonly packaged: boolean;
  /** What machines are; absent: as at earlier starts, at first containers. */
  readonly machines?: MachineKind;
  readonly help: boolean;
}

export const USAGE = `npm start                 the local data centre, with the example running on it; Ctrl-C stops it
npm start -- --once       the same once: does the job, checks the answers, removes everything
npm start -- --reset      forgets the state of earlier starts first
npm start -- --packaged   runs the package that goes to Azure (npm run package)
npm start -- --machines qemu   machines are real virtual machines, with kernels of their own (also: containers)`;

/** @throws Terminal `option-unknown` */
export function parseOptions(argv: readonly string[]): Options {
  try {
    const { values: given } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        reset: { type: 'boolean', default: false },
        packaged: { type: 'boolean', default: false },
        machines: { type: 'string' },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
    const { machines, ...values } = given;
    if (machines === undefined) return values;
    const kind = MachineKind.safeParse(machines);
    if (!kind.success)
      throw new Error(`--machines ${machines}: expected one of ${MachineKind.options.join(', ')}`);
    return { ...values, machines: kind.data };
  } catch (cause) {
    throw new Terminal({
      code: 'option-unknown',
      message: cause instanceof Error ? cause.message : String(cause),
      remedy: USAGE,
      cause,
    });
  }
}
