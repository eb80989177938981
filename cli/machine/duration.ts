import { InvalidArgumentError } from 'commander';

const UNITS = { s: 1, m: 60, h: 3600 } as const;

/** `90`, `90s`, `10m`, `1h30m`: in seconds. */
export function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+)([smh])/g)];
  const isWhole = parts.map(([part]) => part).join('') === text && text !== '';
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS], 0);
  if ((/^\d+$/.test(text) || isWhole) && seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a time, for example 90s, 10m or 1h30m.');
}
