import type { Machine } from '../../../shared/model/machine.ts';
import type { MachineName } from '../../../shared/model/names.ts';
import { nearest } from '../../../shared/model/nearest.ts';
import type { Services } from '../../services.ts';
import { notFound } from './not-found.ts';

/** The record of a machine. @throws Terminal `machine-not-found` (404), with the names that may have been meant */
export async function theMachine(
  name: MachineName,
  { machines }: Pick<Services, 'machines'>,
): Promise<Machine> {
  const found = await machines.get(name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    (await machines.list()).map((machine) => machine.name),
  );
  throw notFound(
    'machine',
    name,
    near.length === 0 ? 'List them: berth machine ls' : `Did you mean ${near.join(' or ')}?`,
  );
}
