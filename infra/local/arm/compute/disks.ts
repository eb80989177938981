import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { render } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';

/** OS disks: made with their VM, kept or deleted after it. The machine's files are the runtime's. */
export const disks = (_arm: Arm): Tracked => ({
  kind: 'disk',
  accept({ id }) {
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `The local data centre makes disks together with their VM only; ${id} cannot be made by itself.`,
    );
  },
  removable(disk) {
    const user = disk.extra.managedBy;
    if (typeof user === 'string')
      throw new ArmError(409, 'OperationNotAllowed', `Disk ${disk.name} is attached to VM ${user}.`);
  },
  view: render,
});
