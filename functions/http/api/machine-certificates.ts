import { regenerateCertificate } from '../../../shared/api/routes/by-hand.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { endpoint } from '../endpoint.ts';
import { theMachine } from './the-machine.ts';

/** The machine asks for it itself, with its identity token: its old certificate is not needed for that. */
export const regenerate = endpoint(regenerateCertificate, async ({ params, services }) => {
  const found = await theMachine(params.machine, services);
  if (!REPORTING.has(found.status.state))
    throw new Terminal({
      code: 'machine-state',
      status: 409,
      message: `${found.name} is ${found.status.state}, and hears of nothing; expected ready, silent or starting.`,
      remedy: `Start it first: berth machine start ${found.name}`,
    });
  const renewal = services.now().toISOString();
  const machine = await services.machines.change(found.name, (current) => ({ ...current, renewal }));
  return { machine: machine ?? found };
});

const REPORTING: ReadonlySet<string> = new Set(['ready', 'silent', 'starting']);
