import { InvalidArgumentError } from 'commander';

const whole =
  (what: string) =>
  (text: string): number => {
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number${what}.`);
  };

/** The value of an option that is a number of things. */
export const wholeNumber = whole('');

/** The value of an option that is a whole number of seconds. */
export const wholeSeconds = whole(' of seconds');
