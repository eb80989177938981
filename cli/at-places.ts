import { issueText } from '../shared/compose/faults.ts';
import type { Place } from '../shared/compose/tree.ts';
import { Failure } from './failure.ts';

/** Where a field of the application stands in the file that it comes from: `services.web.secrets.0`. */
export type PlaceOf = (path: string) => Place | undefined;

/**
 * Has what the server refuses told at its place in the file, as what is refused here.
 * @throws Failure with `file:line:column: where: what was expected` for each fault
 */
export async function atPlaces<T>(placeOf: PlaceOf, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure) || error.issues.length === 0) throw error;
    const lines = error.issues.map((issue) => issueText({ ...issue, ...placeOf(issue.path) }));
    throw new Failure({ ...faultOf(error), message: lines.join('\n') });
  }
}

const faultOf = ({ code, remedy, exitCode, issues }: Failure) => ({ code, remedy, exitCode, issues });
