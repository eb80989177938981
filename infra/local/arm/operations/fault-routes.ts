import type { Route } from '../requests/arm-request.ts';
import { parseBody } from '../requests/bodies.ts';
import { FaultOrder, type Faults } from './faults.ts';

/** Orders failures: POST /local/faults one, GET what is still to come, DELETE all. */
export const faultRoutes = (faults: Faults): readonly Route[] => [
  {
    method: 'POST',
    template: '/local/faults',
    handle(request) {
      faults.order(parseBody(FaultOrder, request.body));
      return { status: 201, body: { value: faults.list() } };
    },
  },
  {
    method: 'GET',
    template: '/local/faults',
    handle: () => ({ status: 200, body: { value: faults.list() } }),
  },
  {
    method: 'DELETE',
    template: '/local/faults',
    handle() {
      faults.clear();
      return { status: 204 };
    },
  },
];
