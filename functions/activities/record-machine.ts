import { nextAttempt } from '../../shared/machines/by-hand/hand-made-record.ts';
import { IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import { profileOf } from '../../shared/machines/golden/profile.ts';
import { recordMachine } from '../../shared/machines/machine-activities.ts';
import { BY_HAND, resourceNames, virtualMachineId } from '../../shared/machines/machine-names.ts';
import { chooseOffering } from '../../shared/machines/offerings/choose-offering.ts';
import { type Offering, offeringText } from '../../shared/machines/offerings/offering.ts';
import type { Ranked } from '../../shared/machines/offerings/rank-offerings.ts';
import type { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { Terminal } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import type { Services } from '../services.ts';
import { activity } from './activity.ts';

export const record = activity(recordMachine, async ({ request, tried, attempt, left, owner }, made) => {
  const { pool, spec, machine } = request;
  const existing = await made.machines.get(machine);
  if (existing !== undefined && !isBefore(existing, attempt)) return existing;
  if (pool === BY_HAND) return await again(existing, request, tried, { attempt, left }, made);
  const chosen = await offeringFor(request, tried, owner, made);
  if ('reason' in chosen) {
    // Nothing is to come of it: who waits for it is told at once, and others may have its place.
    if (existing === undefined) await made.workloads.capacity.removeMachine(pool, machine);
    throw new Terminal({
      code: 'no-size-left',
      message: `Pool ${pool} cannot have ${machine}: ${chosen.reason}.`,
      remedy: 'Add further sizes or zones to the pool, raise its limits, or ask Azure for quota.',
    });
  }
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
    ...(chosen.gpu !== undefined && { gpu: chosen.gpu }),
    ...(chosen.zone !== undefined && { zone: chosen.zone }),
    priority: chosen.priority,
    ...(chosen.hourly !== undefined && { hourly: chosen.hourly }),
    labels: spec.labels,
    profile: profileOf(spec),
    createdAt: made.now().toISOString(),
    status: { state: 'provisioning', since: made.now().toISOString() },
    owner,
  };
  await made.machines.add(recorded);
  const changed = await made.machines.change(machine, (current) => {
    if (!isBefore(current, attempt)) return undefined;
    const {
      address: _,
      golden: _golden,
      boot: _boot,
      zone: _zone,
      hourly: _hourly,
      gpu: _gpu,
      ...others
    } = current;
    const { createdAt = recorded.createdAt, ...rest } = others;
    const leftovers = left ? [...current.leftovers, current.resources] : current.leftovers;
    return { ...rest, ...recorded, createdAt, leftovers };
  });
  return changed ?? recorded;
});

/**
 * What the machine is to be, of what Azure did not refuse: claimed, since nothing is made that passes the limits of its
 * pool. Machines that become images belong to no pool.
 */
async function offeringFor(
  { pool, spec, machine, needs }: ProvisionMachine,
  tried: readonly string[],
  owner: string,
  made: Services,
): Promise<Offering | { readonly reason: string }> {
  const { offerings, passed } = await made.offers.rank(
    pool,
    spec,
    (await made.machines.list()).filter(({ name }) => name !== machine),
  );
  const isTried = (offering: Offering) => tried.includes(offeringText(offering));
  const refused = offerings
    .filter(isTried)
    .map((offering) => ({ offering: offeringText(offering), reason: 'Azure refused it to this machine' }));
  const ranked: Ranked = {
    offerings: offerings.filter((offering) => !isTried(offering)),
    passed: [...passed, ...refused],
  };
  if (pool === IMAGE_BUILDERS) return chooseOffering(ranked, needs);
  const claimed = await made.workloads.capacity.claim(pool, { machine, owner, needs, ranked });
  return claimed.outcome === 'claimed' ? claimed.offering : { reason: claimed.reason };
}

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
    existing !== undefined && tried.includes(offeringText(existing))
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
