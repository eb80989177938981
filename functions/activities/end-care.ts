import { endCare } from '../../shared/model/care-run.ts';
import { activity } from './activity.ts';

export const endCareActivity = activity(endCare, async (run, { careRuns }) => {
  await careRuns.put(run);
  return null;
});
