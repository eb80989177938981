import { builderWord } from '../../shared/machines/golden/builder-console.ts';
import { type Builder, lookAtBuilder } from '../../shared/machines/golden/golden-activities.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { activity } from './activity.ts';

/** A machine that is off counts as clean only if it said so: one that lost its power would make a broken image. */
export const lookBuilder = activity(lookAtBuilder, async ({ machine: name }, made): Promise<Builder> => {
  const machine = await made.machines.get(name);
  const view = machine && (await made.cloud.virtualMachine(machine.resources.vm));
  if (machine === undefined || view === undefined)
    throw new Terminal({
      code: 'builder-gone',
      message: `The machine ${name}, which was to become an image, is gone.`,
      remedy: 'Nothing is to be done: the image is built again.',
    });
  const said = builderWord(await made.cloud.consoleLog(machine.resources.vm));
  if (said.word === 'unfit') return { state: 'unfit', reason: said.reason };
  if (view.power !== 'stopped' && view.power !== 'deallocated') return { state: 'working' };
  return { state: said.word === 'clean' ? 'clean' : 'off' };
});
