import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, conflict, preemption, resourceNotFound } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody, Tags } from '../requests/bodies.ts';
import { existing, requireLocation } from '../resources/lookup.ts';
import { type Json, nameOf, type Resource, typeOf } from '../resources/resource.ts';
import type { Executions } from './executions.ts';
import { isOver, type ScriptState } from './guest.ts';
import { managedBody, scriptRequest, shownProperties } from './managed-body.ts';
import { type Child, childId, renderChild } from './records.ts';

/** Azure's own limit and words. */
const MOST = 25;
const NAME = /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/;
const FOLDER = '/var/lib/waagent/run-command-handler/download';

const Patch = z.looseObject({ tags: Tags.optional(), properties: z.looseObject({}).optional() });

/** Microsoft.Compute/virtualMachines/runCommands: scripts that run beside each other, as resources of their VM. */
export function managedCommandRoutes(arm: Arm, made: Executions): readonly Route[] {
  const { operations, database } = arm;
  const { children } = made;

  operations.define('vm.runCommand.create', {
    async run(operation) {
      const child = children.byId(operation.resource);
      if (child === undefined || child.deleting) throw preemption();
      const failed = operation.input.failed;
      if (typeof failed === 'string') throw provisioningError(child, failed);
      if (child.properties.asyncExecution === true) return settle(child.id, {});
      const isWanted = () => {
        const current = children.byId(child.id);
        return current?.deleting === false && current.folder === child.folder;
      };
      const ended = await made.follow(nameOf(child.vm), child.folder, isWanted);
      settle(child.id, { ended });
      if (ended.state !== 'Succeeded' && child.properties.treatFailureAsDeploymentFailure === true)
        throw provisioningError(child, ended.message);
      return;
    },
    failed(operation) {
      const child = children.byId(operation.resource);
      if (child === undefined || child.deleting) return;
      children.put({ ...child, properties: { ...child.properties, provisioningState: 'Failed' } });
    },
  });
  operations.define('vm.runCommand.delete', made.removal);

  const settle = (id: string, state: Partial<Child>): void => {
    const child = children.byId(id);
    if (child === undefined || child.deleting) throw preemption();
    children.put({
      ...child,
      ...state,
      properties: { ...child.properties, provisioningState: 'Succeeded' },
    });
  };

  const requireRoom = (vm: Resource, before: Child | undefined): void => {
    const current = children.list(vm, 'runCommands').length;
    if (before === undefined && current >= MOST)
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The maximum number of managed Run commands (max=${MOST}, current=${current}) has been exceeded. Use fewer Run commands and retry the request.`,
      );
  };

  const put = async (request: ArmRequest, given: unknown = request.body): Promise<ArmReply> => {
    const vm = existing(arm, request, 'vm');
    const body = managedBody(given);
    const script = scriptRequest(body);
    const { properties } = body;
    const location = requireLocation(arm, 'vm', body.location);
    const name = parameter(request, 'child');
    if (!NAME.test(name))
      throw new ArmError(
        400,
        'InvalidResourceName',
        `Run command name ${name} is invalid: expected text that fits ${NAME.source}.`,
      );
    await made.requireRunning(vm);
    const id = childId(vm, 'runCommands', name);
    const before = children.byId(id);
    if (before?.deleting === true || operations.busy(id)) throw conflict(id);
    requireRoom(vm, before);
    if (before !== undefined) await made.end(before);
    const folder = `${FOLDER}/${name}/${children.nextSequence()}`;
    const child: Child = {
      id: before?.id ?? id,
      vm: vm.id,
      vmId: String(vm.properties.vmId),
      kind: 'runCommands',
      name: before?.name ?? name,
      location,
      tags: body.tags,
      properties: { ...shownProperties(body), provisioningState: 'Creating' },
      folder,
      digest: '',
      deleting: false,
      begun: false,
      ended: undefined,
    };
    children.put(child);
    // Begun before it is answered, so that nothing protected needs to be kept.
    const failed = await made.begin(vm.name, folder, script).then(
      () => ({}),
      (error: unknown) => ({ failed: error instanceof Error ? error.message : String(error) }),
    );
    children.put({ ...(children.byId(child.id) ?? child), begun: true });
    if (properties.asyncExecution) made.watch({ ...child, begun: true });
    const operation = operations.begin('vm.runCommand.create', child.id, failed, request.fault);
    return { status: before === undefined ? 201 : 200, body: renderChild(child), operation };
  };

  const patch = async (request: ArmRequest): Promise<ArmReply> => {
    const child = found(request);
    const { tags = child.tags, properties } = parseBody(Patch, request.body);
    if (properties !== undefined) {
      const { provisioningState: _, ...kept } = child.properties;
      return put(request, { location: child.location, tags, properties: { ...kept, ...properties } });
    }
    children.put({ ...child, tags });
    return { status: 200, body: renderChild({ ...child, tags }) };
  };

  const found = (request: ArmRequest): Child => {
    const vm = existing(arm, request, 'vm');
    const child = children.find(vm, 'runCommands', parameter(request, 'child'));
    if (child !== undefined) return child;
    throw resourceNotFound(`${typeOf.vm}/${vm.name}/runCommands`, parameter(request, 'child'), vm.group);
  };

  const remove = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const vm = existing(arm, request, 'vm');
      const child = children.find(vm, 'runCommands', parameter(request, 'child'));
      if (child === undefined) return { status: 204 };
      if (!child.deleting) {
        const properties = { ...child.properties, provisioningState: 'Deleting' };
        children.put({ ...child, deleting: true, properties });
      }
      return {
        status: 202,
        operation: operations.begin('vm.runCommand.delete', child.id, {}, request.fault),
      };
    });

  const view = async (child: Child, expand: string | null): Promise<Json> => {
    if ((expand ?? '').toLowerCase() !== 'instanceview') return renderChild(child);
    const state = await made.look(child);
    return renderChild(child, { ...child.properties, instanceView: instanceView(state) });
  };

  const parent = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}/{name}/runCommands`;
  const one = `${parent}/{child}`;
  return [
    { method: 'PUT', template: one, fault: 'runCommand.create', handle: (r) => put(r) },
    { method: 'PATCH', template: one, fault: 'runCommand.update', handle: patch },
    { method: 'DELETE', template: one, fault: 'runCommand.delete', handle: remove },
    {
      method: 'GET',
      template: one,
      fault: 'runCommand.get',
      handle: async (r) => ({ status: 200, body: await view(found(r), r.query.get('$expand')) }),
    },
    {
      method: 'GET',
      template: parent,
      handle: async (r) => {
        const all = children.list(existing(arm, r, 'vm'), 'runCommands');
        const value = await Promise.all(all.map((child) => view(child, r.query.get('$expand'))));
        return { status: 200, body: { value } };
      },
    },
  ];
}

const provisioningError = (child: Child, message: string): ArmError =>
  new ArmError(
    409,
    'VMExtensionProvisioningError',
    `VM has reported a failure when processing run command '${child.name}': ${message}`,
  );

const instanceView = (state: ScriptState): Json => ({
  executionState: state.state,
  executionMessage: state.message,
  ...(isOver(state) ? { exitCode: state.exitCode } : { exitCode: 0 }),
  output: state.output,
  error: state.error,
  ...(state.startTime === undefined ? {} : { startTime: state.startTime }),
  ...(state.endTime === undefined ? {} : { endTime: state.endTime }),
  statuses: [],
});
