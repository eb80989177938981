import { type Command, InvalidArgumentError } from 'commander';
import { listServices, restartService, scaleService } from '../../shared/api/routes/services.ts';
import { findPart } from '../names.ts';
import { type Session, withSession } from '../session.ts';
import { watchService } from '../watch-rollout.ts';
import { wholeSeconds } from '../whole-number.ts';

export async function serviceNamed({ client, environment }: Session, name: string) {
  const { services } = await client.call(listServices, { params: { environment } });
  const { application, part: service } = findPart(
    name,
    services.map(({ key }) => ({ application: key.application, part: key.service })),
    'service',
  );
  return { environment, application, service };
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1000) throw new InvalidArgumentError('Expected 0 to 1000.');
  return Number(text);
}

/** Verbs that change what is deployed without a file. */
export function addServiceVerbs(program: Command): void {
  program
    .command('scale')
    .description('changes how many replicas a service has, until its next deployment')
    .argument('<service>', 'application/service, or the service alone where that is enough')
    .argument('<replicas>', '0 to 1000', count)
    .action((name: string, replicas: number, _options, command: Command) =>
      withSession(command, async (session) => {
        const params = await serviceNamed(session, name);
        const accepted = await session.client.call(scaleService, { params, json: { replicas } });
        session.output.data(accepted, () => `${params.application}/${params.service}: ${replicas} wanted`);
      }),
    );
  program
    .command('restart')
    .description('replaces every replica of a service by a new one')
    .argument('<service>', 'application/service, or the service alone where that is enough')
    .option('--wait', 'until the new ones are healthy, or the rollout has failed')
    .option('--timeout <seconds>', 'how long it waits', wholeSeconds, 600)
    .action((name: string, options: { wait?: boolean; timeout: number }, command: Command) =>
      withSession(command, async (session) => {
        const params = await serviceNamed(session, name);
        const accepted = await session.client.call(restartService, { params });
        if (options.wait === true) {
          const { application, service } = params;
          return await watchService(session, { application, service }, accepted.event.hash, options.timeout);
        }
        session.output.data(accepted, () => `${params.application}/${params.service}: restarting`);
      }),
    );
}
