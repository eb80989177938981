import { chooseSize } from '../../shared/machines/choose-size.ts';
import { recordMachine } from '../../shared/machines/machine-activities.ts';
import { resourceNames, virtualMachineId } from '../../shared/machines/machine-names.ts';
import { Terminal } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { activity } from './activity.ts';

export const record = activity(recordMachine, async ({ request, tried, owner }, made) => {
  const { pool, spec, machine, needs } = request;
  const existing = await made.machines.get(machine);
  if (existing !== undefined && !(isComing(existing) && tried.includes(existing.size))) return existing;
  const known = await Promise.all(
    spec.sizes.map(async (name) => {
      const size = await made.cloud.size(name);
      return size === undefined ? [] : [{ name, ...size }];
    }),
  );
  const chosen = chooseSize(spec, needs, tried, known.flat());
  if ('reason' in chosen)
    throw new Terminal({
      code: 'no-size-left',
      message: `Pool ${pool} has no size for ${machine}: ${chosen.reason}.`,
      remedy: 'Add further sizes to the pool, or ask Azure for quota.',
    });
  const resources = resourceNames(machine);
  const { subscription, resourceGroup } = made.settings;
  const recorded: Machine = {
    name: machine,
    pool,
    size: chosen.size,
    image: spec.image,
    resources,
    vmId: virtualMachineId(subscription, resourceGroup, resources.vm),
    cpu: chosen.cpu,
    memory: chosen.memory,
    priority: 'regular',
    labels: spec.labels,
    createdAt: made.now().toISOString(),
    status: { state: 'provisioning', since: made.now().toISOString() },
    owner,
  };
  await made.machines.add(recorded);
  return (await made.machines.change(machine, (current) => ({ ...current, ...recorded }))) ?? recorded;
});

const isComing = ({ status }: Machine): boolean =>
  status.state === 'provisioning' || status.state === 'booting';
