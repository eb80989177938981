import type { Arm } from '../arm.ts';
import { ArmError, conflict, preemption, resourceNotFound } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { existing, requireLocation } from '../resources/lookup.ts';
import { type Json, nameOf, typeOf } from '../resources/resource.ts';
import { type Executions, enableMessage } from './executions.ts';
import {
  extensionBody,
  extensionRequest,
  HANDLER,
  settingsDigest,
  settingsOf,
  shownExtension,
} from './extension-body.ts';
import { isOver, type ScriptState } from './guest.ts';
import { type Child, childId, renderChild } from './records.ts';

const FOLDER = '/var/lib/waagent/custom-script/download';

/** Microsoft.Compute/virtualMachines/extensions, of which there is one kind: CustomScript of Linux. */
export function extensionRoutes(arm: Arm, made: Executions): readonly Route[] {
  const { operations, database } = arm;
  const { children } = made;

  operations.define('vm.extension.create', {
    async run(operation) {
      const child = children.byId(operation.resource);
      if (child === undefined || child.deleting) throw preemption();
      const failed = operation.input.failed;
      const ended =
        typeof failed === 'string'
          ? refused(failed)
          : (child.ended ??
            (await made.follow(
              nameOf(child.vm),
              child.folder,
              () => children.byId(child.id)?.deleting === false,
            )));
      const current = children.byId(child.id);
      if (current === undefined || current.deleting) throw preemption();
      children.put({
        ...current,
        ended,
        properties: { ...current.properties, provisioningState: 'Succeeded' },
      });
      if (ended.state !== 'Succeeded')
        throw new ArmError(
          409,
          'VMExtensionProvisioningError',
          `VM has reported a failure when processing extension '${child.name}' (publisher 'Microsoft.Azure.Extensions' and type 'CustomScript'). Error message: '${enableMessage(ended)}'.`,
        );
    },
    failed(operation) {
      const child = children.byId(operation.resource);
      if (child === undefined || child.deleting) return;
      children.put({ ...child, properties: { ...child.properties, provisioningState: 'Failed' } });
    },
  });
  operations.define('vm.extension.delete', made.removal);

  const put = async (request: ArmRequest): Promise<ArmReply> => {
    const vm = existing(arm, request, 'vm');
    const body = extensionBody(request.body);
    const location = requireLocation(arm, 'vm', body.location);
    const name = parameter(request, 'child');
    await made.requireRunning(vm);
    const id = childId(vm, 'extensions', name);
    const before = children.byId(id);
    const other = children
      .list(vm, 'extensions')
      .find((child) => child.id.toLowerCase() !== id.toLowerCase());
    if (other !== undefined)
      throw new ArmError(
        400,
        'BadRequest',
        `Multiple VMExtensions per handler not supported for OS type 'Linux'. VMExtension '${other.name}' with handler '${HANDLER}' already added or specified in input.`,
      );
    if (before?.deleting === true || operations.busy(id)) throw conflict(id);
    const digest = settingsDigest(body);
    const properties = {
      ...shownExtension(body),
      provisioningState: before === undefined ? 'Creating' : 'Updating',
    };
    if (before?.digest === digest && before.ended?.state === 'Succeeded') {
      children.put({ ...before, tags: body.tags, properties });
      const operation = operations.begin('vm.extension.create', before.id, {}, request.fault);
      return { status: 200, body: renderChild({ ...before, properties }), operation };
    }
    const sequence = children.nextSequence();
    const child: Child = {
      id: before?.id ?? id,
      vm: vm.id,
      vmId: String(vm.properties.vmId),
      kind: 'extensions',
      name: before?.name ?? name,
      location,
      tags: body.tags,
      properties,
      folder: `${FOLDER}/${sequence}`,
      digest,
      deleting: false,
      begun: false,
      ended: undefined,
    };
    children.put(child);
    const settings = settingsOf(body);
    const failed =
      'faults' in settings
        ? {
            failed: `invalid configuration: ${settings.faults.map(({ at, message }) => `${at}: ${message}`).join('; ')}`,
          }
        : await made
            .begin(vm.name, child.folder, extensionRequest(settings.script, sequence, arm.gateway))
            .then(
              () => ({}),
              (error: unknown) => ({ failed: error instanceof Error ? error.message : String(error) }),
            );
    children.put({ ...(children.byId(child.id) ?? child), begun: true });
    const operation = operations.begin('vm.extension.create', child.id, failed, request.fault);
    return { status: before === undefined ? 201 : 200, body: renderChild(child), operation };
  };

  const found = (request: ArmRequest): Child => {
    const vm = existing(arm, request, 'vm');
    const child = children.find(vm, 'extensions', parameter(request, 'child'));
    if (child !== undefined) return child;
    throw resourceNotFound(`${typeOf.vm}/${vm.name}/extensions`, parameter(request, 'child'), vm.group);
  };

  const remove = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const vm = existing(arm, request, 'vm');
      const child = children.find(vm, 'extensions', parameter(request, 'child'));
      if (child === undefined) return { status: 204 };
      if (!child.deleting)
        children.put({
          ...child,
          deleting: true,
          properties: { ...child.properties, provisioningState: 'Deleting' },
        });
      return { status: 202, operation: operations.begin('vm.extension.delete', child.id, {}, request.fault) };
    });

  const view = async (child: Child, expand: string | null): Promise<Json> => {
    if ((expand ?? '').toLowerCase() !== 'instanceview') return renderChild(child);
    return renderChild(child, {
      ...child.properties,
      instanceView: instanceView(child, await made.look(child)),
    });
  };

  const parent = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}/{name}/extensions`;
  const one = `${parent}/{child}`;
  return [
    { method: 'PUT', template: one, fault: 'extension.create', handle: put },
    { method: 'DELETE', template: one, fault: 'extension.delete', handle: remove },
    {
      method: 'GET',
      template: one,
      handle: async (r) => ({ status: 200, body: await view(found(r), r.query.get('$expand')) }),
    },
    {
      method: 'GET',
      template: parent,
      handle: async (r) => {
        const all = children.list(existing(arm, r, 'vm'), 'extensions');
        const value = await Promise.all(all.map((child) => view(child, r.query.get('$expand'))));
        return { status: 200, body: { value } };
      },
    },
  ];
}

const refused = (message: string): ScriptState => ({
  state: 'Failed',
  exitCode: -1,
  message,
  output: '',
  error: '',
});

function instanceView(child: Child, state: ScriptState): Json {
  const word = !isOver(state) ? 'transitioning' : state.state === 'Succeeded' ? 'succeeded' : 'failed';
  return {
    name: child.name,
    type: HANDLER,
    typeHandlerVersion: child.properties.typeHandlerVersion,
    statuses: [
      {
        code: `ProvisioningState/${word}`,
        level: word === 'failed' ? 'Error' : 'Info',
        displayStatus: word === 'transitioning' ? 'Transitioning' : `Provisioning ${word}`,
        message: isOver(state) ? enableMessage(state) : 'Enable in progress',
      },
    ],
  };
}
