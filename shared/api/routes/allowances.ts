import { Allowances } from '../../model/allowances.ts';
import { inEnvironment } from '../parameters.ts';
import { route } from '../route.ts';

const path = '/api/v1/environments/{environment}/allowances' as const;

export const getAllowances = route({
  name: 'get-allowances',
  method: 'GET',
  path,
  permission: 'applications.read',
  summary:
    'What containers of an environment may beyond their own: privileges, capabilities, paths of machines.',
  params: inEnvironment,
  answer: Allowances,
});

export const putAllowances = route({
  name: 'put-allowances',
  method: 'PUT',
  path,
  permission: 'environments.admin',
  summary:
    'Says what containers of an environment may, in place of what was said before. What is deployed already goes on.',
  params: inEnvironment,
  body: { schema: Allowances },
  answer: Allowances,
});
