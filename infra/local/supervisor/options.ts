import { parseArgs } from 'node:util';
import { Terminal } from '../../../shared/model/errors.ts';

export interface Options {
  /** Do the main job, check its answers, remove everything, end. */
  readonly once: boolean;
  /** Forget the state first. */
  readonly reset: boolean;
  /** Load the package that goes to Azure instead of the sources. */
  readonly packaged: boolean;
  readonly help: boolean;
}

export const USAGE = `npm start                 the local data centre, with the example running on it; Ctrl-C stops it
npm start -- --once       the same once: does the job, checks the answers, removes everything
npm start -- --reset      forgets the state of earlier starts first
npm start -- --packaged   runs the package that goes to Azure (npm run package)`;

/** @throws Terminal `option-unknown` */
export function parseOptions(argv: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        reset: { type: 'boolean', default: false },
        packaged: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
    return values;
  } catch (cause) {
    throw new Terminal({
      code: 'option-unknown',
      message: cause instanceof Error ? cause.message : String(cause),
      remedy: USAGE,
      cause,
    });
  }
}
