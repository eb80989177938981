import { app } from '@azure/functions';
import * as df from 'durable-functions';
import '../../../../functions/http/api/care.ts';
import '../../../../functions/http/api/trash.ts';
import '../../../../functions/registry-care.ts';
import { services } from '../../../../functions/services.ts';
import { startCare } from '../../../../functions/start-care.ts';
import { CareKind } from '../../../../shared/model/care-run.ts';

app.setup({ enableHttpStream: true });

/** A run as if it began days from now: what was stored a moment ago is old for it. */
app.http('run-ahead', {
  methods: ['POST'],
  route: 'run-ahead/{kind}/{days}',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const at = new Date(Date.now() + Number(request.params['days']) * 24 * 3600 * 1000);
    const jsonBody = await startCare({ ...services(), now: () => at }, df.getClient(context), {
      kind: CareKind.parse(request.params['kind']),
      dryRun: request.query.get('dryRun') === 'true',
      by: 'test',
    });
    return { status: 202, jsonBody };
  },
});
