import { nextAttempt } from '../../shared/machines/by-hand/hand-made-record.ts';
import { chooseSize } from '../../shared/machines/choose-size.ts';
import { profileOf } from '../../shared/machines/golden/profile.ts';
import { recordMachine } from '../../shared/machines/machine-activities.ts';
import { BY_HAND, resourceNames, virtualMachineId } from '../../shared/machines/machine-names.ts';
import type { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { Terminal } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import type { Services } from '../services.ts';
import { activity } from './activity.ts';

export const record = activity(recordMachine, async ({ request, tried, attempt, left, owner }, made) => {
  const { pool, spec, machine, needs } = request;
  const existing = await made.machines.get(machine);
  if (existing !== undefined && !isBefore(existing, attempt)) return existing;
  if (pool === BY_HAND) return await again(existing, request, tried, { attempt, left }, made);
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
  const golden = await goldenFor(spec, made);
  const resources = resourceNames(machine, attempt);
  const { subscription, resourceGroup } = made.settings;
  const recorded: Machine = {
    name: machine,
    pool,
    size: chosen.size,
    image: spec.image,
    ...(golden !== undefined && { golden }),
    resources,
    attempt,
    leftovers: [],
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
  const changed = await made.machines.change(machine, (current) => {
    if (!isBefore(current, attempt)) return undefined;
    const { address: _, golden: _golden, boot: _boot, createdAt = recorded.createdAt, ...rest } = current;
    const leftovers = left ? [...current.leftovers, current.resources] : current.leftovers;
    return { ...rest, ...recorded, createdAt, leftovers };
  });
  return changed ?? recorded;
});

/** A machine made by hand is recorded by who asked for it; further attempts at it get new names, and no other size. */
async function again(
  existing: Machine | undefined,
  { machine }: Pick<ProvisionMachine, 'machine'>,
  tried: readonly string[],
  { attempt, left }: { readonly attempt: number; readonly left: boolean },
  made: Services,
): Promise<Machine> {
  const { subscription, resourceGroup } = made.settings;
  const changed =
    existing !== undefined && tried.includes(existing.size)
      ? undefined
      : await made.machines.change(machine, (current) =>
          isBefore(current, attempt)
            ? nextAttempt(current, { attempt, left, now: made.now(), subscription, resourceGroup })
            : undefined,
        );
  if (changed !== undefined) return changed;
  throw new Terminal({
    code: 'no-size-left',
    message: `${machine} cannot be made in its size.`,
    remedy: 'Ask for another size, or try again later.',
  });
}

/** Whether the record is of an earlier attempt at a machine that is still to come. */
const isBefore = ({ status, attempt: known }: Machine, attempt: number): boolean =>
  known < attempt && (status.state === 'provisioning' || status.state === 'booting');

/** The golden image of a pool that wants one, once it is there; until then machines boot as those of other pools. */
async function goldenFor(spec: PoolSpec, { golden }: Pick<Services, 'golden'>): Promise<string | undefined> {
  if (!spec.golden) return undefined;
  const image = await golden.get(profileOf(spec));
  return image?.status.state === 'ready' ? image.status.id : undefined;
}
