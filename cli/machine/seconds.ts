import { InvalidArgumentError } from 'commander';

/** The value of an option that is a whole number of seconds. */
export function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,7}$/.test(text)) return seconds;
  throw new InvalidArgumentError('Expected a whole number of seconds.');
}
