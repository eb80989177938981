import { itemsOf, nodeAt, textOf } from '../tree.ts';
import { below, isTrue, numberIn, type Rule, seconds } from './rule.ts';

/** What docker takes where nothing is said. */
const USUAL = { interval: 30, timeout: 30, retries: 3 };

/**
 * A replica has to be healthy within `start_period` and so many intervals as `retries` says; later it is made anew when so many
 * checks have failed, one after the other.
 */
export const healthcheck: Rule = (node, here) => {
  const test = itemsOf(nodeAt(node, 'test')).map((item) => textOf(item) ?? '');
  if (isTrue(nodeAt(node, 'disable')) || test[0] === 'NONE') {
    here.outcome.note(
      node,
      here.path,
      'without it Berth sees that the container runs, and that its port accepts connections.',
    );
    return undefined;
  }
  const duration = (name: string): number | undefined => {
    const value = nodeAt(node, name);
    return value === undefined ? undefined : seconds(value, below(here, name));
  };
  const count = nodeAt(node, 'retries');
  const retries = count === undefined ? undefined : numberIn(count, below(here, 'retries'));
  const [often, begin] = [duration('interval'), duration('start_period') ?? 0];
  const interval = duration('start_interval') ?? often;
  const timeout = duration('timeout') ?? USUAL.timeout;
  const deadline = begin + (retries ?? USUAL.retries) * (often ?? USUAL.interval);
  const health = {
    ...(interval === undefined ? {} : { interval }),
    timeout,
    deadline: Math.min(3600, Math.max(30, deadline)),
  };
  if (test.length === 0) return { health };
  const [kind = '', ...words] = test;
  const command =
    kind === 'CMD' ? words : kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : undefined;
  if (command === undefined || command.length === 0) {
    here.outcome.refuse(
      nodeAt(node, 'test') ?? node,
      [...here.path, 'test'],
      'expected [CMD, program, …], [CMD-SHELL, command] or [NONE].',
    );
    return undefined;
  }
  const liveness = {
    command,
    ...(often === undefined ? {} : { interval: often }),
    timeout,
    ...(retries === undefined ? {} : { failures: retries }),
  };
  return { health: { command, ...health, liveness } };
};
