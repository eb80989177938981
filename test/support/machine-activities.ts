import type { Activity } from '../../functions/activities/activity.ts';
import { begin } from '../../functions/activities/begin-retirement.ts';
import { nic } from '../../functions/activities/create-nic.ts';
import { publicIp } from '../../functions/activities/create-public-ip.ts';
import { group } from '../../functions/activities/create-security-group.ts';
import { create } from '../../functions/activities/create-virtual-machine.ts';
import { remove } from '../../functions/activities/delete-resource.ts';
import { network } from '../../functions/activities/ensure-network.ts';
import { fail } from '../../functions/activities/fail-machine.ts';
import { forget } from '../../functions/activities/forget-machine.ts';
import { look } from '../../functions/activities/look-at-machine.ts';
import { noteRefused } from '../../functions/activities/note-refusal.ts';
import { note } from '../../functions/activities/note-removed.ts';
import { poll } from '../../functions/activities/poll-operation.ts';
import { record } from '../../functions/activities/record-machine.ts';

/** What the orchestrations of machines' lives call. */
export const machineActivities = [
  record,
  network,
  nic,
  publicIp,
  group,
  create,
  poll,
  remove,
  look,
  fail,
  begin,
  forget,
  note,
  noteRefused,
] as unknown as Activity<never, unknown>[];
