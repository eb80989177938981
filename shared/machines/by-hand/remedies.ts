import { QUOTA_LINK } from '../offerings/shortage.ts';

/** What who asked for a machine by hand may do, where the words for pools do not fit. By the failure's code. */
const REMEDIES: Readonly<Record<string, string>> = {
  'size-unavailable':
    'Azure has none of this size at the moment: choose another size or zone, or ask again later.',
  'no-size-left': 'Choose another size or zone, or ask again later.',
  'quota-exceeded': `Ask Azure for more (${QUOTA_LINK}), choose a size of another family, or remove a machine.`,
  'cloud-busy': 'Azure was busy for ten minutes: ask again later.',
  'cloud-slow': 'Azure took longer than ten minutes: ask again later.',
  'activity-failed':
    'Azure or storage could not be reached for ten minutes: see the log of the app and https://azure.status.microsoft.',
  'machine-not-registered':
    'Read its console below: its cloud-init may have failed, or the machine could not reach the app.',
};

/** Pure. @param usual the remedy for machines of pools */
export const handMadeRemedy = (code: string, usual: string | undefined): string | undefined =>
  REMEDIES[code] ?? usual;
