import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { refusalOf } from '../operations/faults.ts';
import { ArmError, conflict } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody } from '../requests/bodies.ts';
import { existing, groupOf, idOf, requireLocation, requireName } from '../resources/lookup.ts';
import { type Resource, render, typeOf } from '../resources/resource.ts';
import { acceptVirtualMachine } from './accept-virtual-machine.ts';
import { instanceView, viewVirtualMachine } from './instance-view.ts';
import { retag, updateVirtualMachine } from './update-virtual-machine.ts';
import { changed, stateOf } from './virtual-machine.ts';
import { VirtualMachineBody } from './virtual-machine-body.ts';

const PatchBody = z.looseObject({
  tags: z.record(z.string(), z.string()).optional(),
  identity: VirtualMachineBody.shape.identity,
});

/** Codes after which Azure keeps the NIC for the VM that was refused. */
const KEEPS_NIC = /AllocationFailed|OverconstrainedAllocation|OverconstrainedZonalAllocation/;

/** Microsoft.Compute/virtualMachines. */
export function virtualMachineRoutes(arm: Arm): readonly Route[] {
  const { resources, operations, database } = arm;

  const refuseAtOnce = (fault: NonNullable<ArmRequest['fault']>, nic: Resource, vmId: string): void => {
    const refusal = fault.when === 'at-once' ? refusalOf(fault) : undefined;
    if (refusal === undefined) return;
    if (KEEPS_NIC.test(refusal.code)) {
      const reserved = { vm: vmId, until: arm.now().getTime() + arm.nicReservationMs };
      resources.put({ ...nic, hidden: { ...nic.hidden, reserved } });
    }
    throw refusal;
  };

  const create = (request: ArmRequest, id: string, group: string, body: VirtualMachineBody): ArmReply => {
    const accepted = acceptVirtualMachine(
      arm,
      requireName('vm', parameter(request, 'name')),
      id,
      group,
      body,
    );
    const { vm, disk, nic } = accepted;
    if (request.fault !== undefined) refuseAtOnce(request.fault, nic, id);
    return database.transaction(() => {
      const { reserved: _, ...hidden } = nic.hidden;
      resources.put({
        ...nic,
        hidden,
        properties: { ...nic.properties, virtualMachine: { id }, primary: true },
      });
      resources.put(disk);
      resources.put(vm);
      const fault = request.fault?.when === 'in-operation' ? request.fault : undefined;
      return { status: 201, body: render(vm), operation: operations.begin('vm.create', id, {}, fault) };
    });
  };

  const put = async (request: ArmRequest): Promise<ArmReply> => {
    if (request.fault?.when === 'at-once') await wait(request.fault.delayMs);
    const body = parseBody(VirtualMachineBody, request.body);
    const group = groupOf(arm, request);
    const id = idOf(arm, request, 'vm', group);
    requireLocation(arm, 'vm', body.location);
    const before = resources.find('vm', id);
    if (before === undefined) return create(request, id, group, body);
    if (request.headers['if-none-match'] === '*')
      throw new ArmError(
        412,
        'PreconditionFailed',
        `The resource ${id} exists, and the request's If-None-Match was '*'.`,
      );
    if (operations.busy(id)) throw conflict(id);
    return database.transaction(() => {
      const vm = changed(updateVirtualMachine(arm, before, body), {}, 'Updating');
      resources.put(vm);
      return {
        status: 200,
        body: render(vm),
        operation: operations.begin('vm.update', id, {}, request.fault),
      };
    });
  };

  const patch = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const vm = existing(arm, request, 'vm');
      if (operations.busy(vm.id)) throw conflict(vm.id);
      const updated = changed(
        retag(arm, vm, parseBody(PatchBody, request.body) as Partial<VirtualMachineBody>),
        {},
        'Updating',
      );
      resources.put(updated);
      return {
        status: 200,
        body: render(updated),
        operation: operations.begin('vm.update', vm.id, {}, request.fault),
      };
    });

  const remove = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const vm = resources.find('vm', idOf(arm, request, 'vm', groupOf(arm, request)));
      if (vm === undefined) return { status: 204 };
      resources.put(changed(vm, {}, 'Deleting'));
      operations.preempt(vm.id);
      return { status: 202, operation: operations.begin('vm.delete', vm.id, {}, request.fault) };
    });

  const act =
    (verb: string) =>
    (request: ArmRequest): ArmReply =>
      database.transaction(() => {
        const vm = existing(arm, request, 'vm');
        if (operations.busy(vm.id)) throw conflict(vm.id);
        if (stateOf(vm).generalized && (verb === 'start' || verb === 'restart'))
          throw new ArmError(409, 'OperationNotAllowed', `Cannot start VM '${vm.name}': it was generalized.`);
        resources.put(changed(vm, {}, 'Updating'));
        return { status: 202, operation: operations.begin(`vm.${verb}`, vm.id, {}, request.fault) };
      });

  const generalize = async (request: ArmRequest): Promise<ArmReply> => {
    const vm = existing(arm, request, 'vm');
    if ((await arm.runtime.state(vm.name)) === 'running')
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The virtual machine '${vm.name}' must be powered off or deallocated before it is generalized.`,
      );
    resources.put(changed(vm, { generalized: true }));
    return { status: 200 };
  };

  const get = async (request: ArmRequest): Promise<ArmReply> => ({
    status: 200,
    body: await viewVirtualMachine(arm, existing(arm, request, 'vm'), request.query.get('$expand')),
  });
  const list = async (request: ArmRequest, group?: string): Promise<ArmReply> => {
    const expand = request.query.get('statusOnly') === 'true' ? 'instanceView' : request.query.get('$expand');
    const vms = resources.list('vm', group);
    return {
      status: 200,
      body: { value: await Promise.all(vms.map((vm) => viewVirtualMachine(arm, vm, expand))) },
    };
  };
  const view = async (request: ArmRequest): Promise<ArmReply> => ({
    status: 200,
    body: await instanceView(arm, existing(arm, request, 'vm')),
  });

  const grouped = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}`;
  const one = `${grouped}/{name}`;
  return [
    { method: 'GET', template: one, fault: 'vm.get', handle: get },
    { method: 'PUT', template: one, fault: 'vm.create', meetsFaults: true, handle: put },
    { method: 'PATCH', template: one, fault: 'vm.update', handle: patch },
    { method: 'DELETE', template: one, fault: 'vm.delete', handle: remove },
    { method: 'GET', template: grouped, fault: 'vm.list', handle: (r) => list(r, groupOf(arm, r)) },
    {
      method: 'GET',
      template: `/subscriptions/{subscription}/providers/${typeOf.vm}`,
      handle: (r) => list(r),
    },
    { method: 'GET', template: `${one}/instanceView`, handle: view },
    ...['start', 'restart', 'powerOff', 'deallocate'].map(
      (verb): Route => ({
        method: 'POST',
        template: `${one}/${verb}`,
        fault: `vm.${verb}`,
        handle: act(verb),
      }),
    ),
    { method: 'POST', template: `${one}/generalize`, fault: 'vm.generalize', handle: generalize },
  ];
}
