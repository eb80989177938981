import type { Machine } from '../../shared/model/machine.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** What machines can be chosen by; `name` and `size` may hold `*`. */
const KEYS = ['name', 'state', 'pool', 'size', 'zone', 'priority', 'label'] as const;
type Key = (typeof KEYS)[number];

/**
 * Pure: a filter as docker-machine's: several values of a key are alternatives, several keys must all fit. `label` is
 * `label=KEY` or `label=KEY=VALUE`.
 * @throws Failure `filter-invalid`
 */
export function machineFilter(texts: readonly string[]): (machine: Machine) => boolean {
  const wanted = new Map<Key, string[]>();
  for (const text of texts) {
    const [, key, value] = /^([a-z]+)=(.+)$/.exec(text) ?? [];
    const known = KEYS.find((each) => each === key);
    if (known === undefined || value === undefined)
      throw new Failure({
        code: 'filter-invalid',
        message: `--filter ${text}: expected KEY=VALUE with one of ${KEYS.join(', ')}.`,
        remedy: 'For example: berth machine ls --filter state=ready --filter name=web-*',
        exitCode: exitCodes.usage,
      });
    wanted.set(known, [...(wanted.get(known) ?? []), value]);
  }
  return (machine) => [...wanted].every(([key, values]) => values.some((value) => fits(machine, key, value)));
}

function fits(machine: Machine, key: Key, value: string): boolean {
  switch (key) {
    case 'name':
      return matches(value, machine.name);
    case 'size':
      return matches(value, machine.size);
    case 'state':
      return machine.status.state === value.toLowerCase();
    case 'pool':
      return machine.pool === value;
    case 'zone':
      return machine.zone === value;
    case 'priority':
      return machine.priority === value;
    case 'label': {
      const [name = '', ...rest] = value.split('=');
      const own = machine.labels[name];
      return own !== undefined && (rest.length === 0 || own === rest.join('='));
    }
  }
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    'i',
  ).test(text);
