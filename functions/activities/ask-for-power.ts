import { askForPower } from '../../shared/machines/by-hand/power-change.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { activity } from './activity.ts';

export const ask = activity(askForPower, async ({ machine: name, action, owner }, made) => {
  const machine = await made.machines.get(name);
  if (machine === undefined || machine.owner !== owner)
    throw new Terminal({
      code: 'machine-superseded',
      message: `${name} is no longer to ${action}: it was removed, or something else was asked of it.`,
      remedy: 'Nothing is to be done.',
    });
  const { vm } = machine.resources;
  switch (action) {
    case 'start':
      return await made.power.start(vm);
    case 'stop':
      return await made.power.deallocate(vm);
    case 'restart':
      return await made.power.restart(vm);
  }
});
