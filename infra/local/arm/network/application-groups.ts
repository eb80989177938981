import { randomUUID } from 'node:crypto';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { type Resource, render, sameId } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { ipConfigurationsOf } from './references.ts';
import { etag } from './virtual-networks.ts';

/**
 * Application security groups: names under which rules mean the machines that joined them.
 * https://learn.microsoft.com/azure/virtual-network/application-security-groups
 */
export const applicationGroups = (arm: Arm): Tracked => ({
  kind: 'asg',
  accept: ({ before }) => ({
    extra: { etag: etag() },
    hidden: {},
    properties: { resourceGuid: before?.properties.resourceGuid ?? randomUUID() },
  }),
  removable(group) {
    const member = arm.resources.list('nic').find((nic) => groupsOf(nic).some((id) => sameId(id, group.id)));
    if (member !== undefined)
      throw new ArmError(
        400,
        'InUseApplicationSecurityGroupCannotBeDeleted',
        `Application security group ${group.id} cannot be deleted because it is in use by ${member.id}.`,
      );
  },
  view: render,
});

/** Ids of the groups that a NIC's first configuration joined. */
export const groupsOf = (nic: Resource): readonly string[] =>
  (
    (ipConfigurationsOf(nic)[0]?.properties.applicationSecurityGroups ?? []) as readonly {
      readonly id: string;
    }[]
  ).map(({ id }) => id);
