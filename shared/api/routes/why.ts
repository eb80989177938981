import { WhyService } from '../../model/why.ts';
import { ofService } from '../parameters.ts';
import { route } from '../route.ts';

export const whyService = route({
  name: 'why-service',
  method: 'GET',
  path: '/api/v1/environments/{environment}/services/{application}/{service}/why',
  permission: 'applications.read',
  summary:
    'Why a service and each of its replicas is as it is: what speaks against how many machines, what would help, why it runs where it runs.',
  params: ofService,
  answer: WhyService,
});
