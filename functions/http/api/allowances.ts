import { getAllowances, putAllowances } from '../../../shared/api/routes/allowances.ts';
import { NOTHING_ALLOWED } from '../../../shared/model/allowances.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';

export const get = endpoint(
  getAllowances,
  async ({ params, services }) =>
    (await services.stores.allowances.get(...placeOf.allowances(params.environment)))?.value ??
    NOTHING_ALLOWED,
);

export const put = endpoint(putAllowances, async ({ params, body, services }) => {
  await services.stores.allowances.upsert(...placeOf.allowances(params.environment), body);
  return body;
});
