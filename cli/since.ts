import { InvalidArgumentError } from 'commander';

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A time in RFC 3339 from one, or from an age such as `90s`, `10m`, `2h`, `1d`. */
export function parseSince(text: string): string {
  const age = /^(\d+)([smhd])$/.exec(text);
  if (age !== null)
    return new Date(Date.now() - Number(age[1]) * units[age[2] as keyof typeof units] * 1000).toISOString();
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new InvalidArgumentError('Expected a time such as 2026-01-31T12:00:00Z, or an age such as 10m.');
  /** Nanoseconds, which a Date would cut off, are kept. */
  return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? text : new Date(time).toISOString();
}
