import { HttpResponse } from '@azure/functions';
import { getConsole } from '../../../shared/api/routes/by-hand.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { endpoint } from '../endpoint.ts';
import { theMachine } from './the-machine.ts';

export const console = endpoint(getConsole, async ({ params, services }) => {
  const { name, status, resources } = await theMachine(params.machine, services);
  const kept = status.state === 'failed' ? status.console : undefined;
  const log =
    kept === undefined ? await services.cloud.consoleLog(resources.vm) : await services.consoles.read(kept);
  if (log === undefined)
    throw new Terminal({
      code: 'console-not-found',
      status: 404,
      message: `${name} is ${status.state}, and has no console log.`,
      remedy: 'A console begins when Azure has made the virtual machine.',
    });
  return new HttpResponse({ headers: { 'content-type': 'text/plain; charset=utf-8' }, body: log });
});
