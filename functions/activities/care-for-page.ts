import { careForPage } from '../../shared/model/care-run.ts';
import { pageOfCare } from '../../shared/registry/care/page-of-care.ts';
import { runningImages } from '../../shared/workloads/running-images.ts';
import { registryOf } from '../http/registry-handler.ts';
import { activity } from './activity.ts';

export const careForPageActivity = activity(
  careForPage,
  (input, made, context) =>
    pageOfCare(
      {
        ...registryOf(made, context),
        runs: made.careRuns,
        running: () => runningImages(made.stores, made.images),
      },
      input,
    ),
  { durable: true },
);
