import { Cron } from 'croner';

/** Five fields, or six with seconds first, that will come to pass at all. */
export function isCron(text: string): boolean {
  if (![5, 6].includes(text.trim().split(/\s+/).length)) return false;
  try {
    return new Cron(text, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** A zone of the IANA database. */
export function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}
