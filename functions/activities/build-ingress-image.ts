import { beginBuild, lookAtBuild, type Workshop } from '../../shared/ingress/image/build-image.ts';
import { beginIngressImage, lookAtIngressImage } from '../../shared/ingress/ingress-activities.ts';
import { REPOSITORY } from '../../shared/ingress/ingress-application.ts';
import { changeState } from '../../shared/ingress/ingress-state.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { RepositoryName } from '../../shared/model/image.ts';
import type { MachineName } from '../../shared/model/names.ts';
import type { Services } from '../services.ts';
import { activity } from './activity.ts';

/** Seconds in which the image must have been pushed. */
const PUSH_SECONDS = 600;

async function workshopOn(machine: MachineName, made: Services): Promise<Workshop> {
  const { address } = (await made.machines.get(machine)) ?? {};
  if (address === undefined)
    throw new Terminal({
      code: 'machine-gone',
      message: `The machine ${machine}, on which the ingress’s image was to be made, is gone.`,
      remedy: 'Another one is taken.',
    });
  const name = RepositoryName.parse(REPOSITORY);
  const actions = ['pull' as const, 'push' as const];
  return {
    engine: await made.engineOf({ name: machine, address }),
    inside: await made.insideOf({ name: machine, address }),
    registry: made.settings.hostname,
    token: () => made.registry.tokens.issue('ingress', [{ type: 'repository', name, actions }], PUSH_SECONDS),
    now: made.now,
  };
}

export const beginIngressImageActivity = activity(beginIngressImage, async ({ machine }, made) => {
  await beginBuild(await workshopOn(machine, made));
  return {};
});

export const lookAtIngressImageActivity = activity(lookAtIngressImage, async ({ machine }, made) => {
  const look = await lookAtBuild(await workshopOn(machine, made));
  if (look.state === 'built') await changeState(made.ingress, (state) => ({ ...state, image: look.image }));
  return look;
});
