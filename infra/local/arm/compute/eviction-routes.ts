import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import type { ArmReply, ArmRequest, Route } from '../requests/arm-request.ts';
import { existing } from '../resources/lookup.ts';
import { typeOf } from '../resources/resource.ts';
import { changed, isSpot, propertiesOf } from './virtual-machine.ts';

/** Milliseconds from the announcement until a spot VM is taken. */
const PREEMPTED_AFTER = 30_000;

/**
 * A spot VM is taken back: announced to the machine by its metadata service, then deleted or deallocated as its
 * evictionPolicy says, when the machine approves or the time is over. What was announced is forgotten by a restart.
 * https://learn.microsoft.com/rest/api/compute/virtual-machines/simulate-eviction
 */
export function evictionRoutes(arm: Arm): readonly Route[] {
  const { resources, operations, events, database } = arm;

  /** Beside the VM's operations, which an announcement does not hold up: it may be deleted meanwhile. */
  const evict = async (id: string): Promise<void> => {
    const at = new Date(arm.now().getTime() + PREEMPTED_AFTER);
    const announced = await events.announce(id, 'Preempt', at, 'The spot VM is taken back.');
    events.end(id, announced);
    if (arm.closed()) return;
    database.transaction(() => {
      const vm = resources.find('vm', id);
      if (vm === undefined || vm.properties.provisioningState === 'Deleting') return;
      const deletes = propertiesOf(vm).evictionPolicy === 'Delete';
      resources.put(changed(vm, {}, deletes ? 'Deleting' : 'Updating'));
      operations.preempt(vm.id);
      operations.begin(deletes ? 'vm.delete' : 'vm.deallocate', vm.id);
    });
  };

  const simulate = (request: ArmRequest): ArmReply => {
    const vm = existing(arm, request, 'vm');
    if (!isSpot(vm))
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The operation 'simulateEviction' is not allowed on VM '${vm.name}', since its priority is not Spot.`,
      );
    if (events.of(vm.id).events.every(({ type }) => type !== 'Preempt')) void evict(vm.id);
    return { status: 204 };
  };

  const one = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}/{name}`;
  return [
    { method: 'POST', template: `${one}/simulateEviction`, fault: 'vm.simulateEviction', handle: simulate },
  ];
}
