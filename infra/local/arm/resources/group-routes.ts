import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { groupNotFound } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody, Tags } from '../requests/bodies.ts';
import { requireLocation, requireName } from './lookup.ts';
import { type Kind, type Resource, render, resourceId } from './resource.ts';
import { withState } from './tracked.ts';

const Body = z.looseObject({
  location: z.string().min(1),
  tags: Tags,
  properties: z.looseObject({}).optional(),
});

/** What a group holds, in the order in which it can be deleted. */
const CONTENT: readonly Kind[] = [
  'vm',
  'nic',
  'loadBalancer',
  'publicIp',
  'vnet',
  'nsg',
  'asg',
  'image',
  'disk',
];

/** Makes the group that a deployment template makes on Azure, unless it is there. */
export function ensureGroup(arm: Arm, name: string): void {
  const id = resourceId(arm.subscription, '', 'group', name);
  if (arm.resources.find('group', id) === undefined) arm.resources.put(newGroup(arm, name, {}));
}

const newGroup = (arm: Arm, name: string, tags: Readonly<Record<string, string>>): Resource => ({
  id: resourceId(arm.subscription, '', 'group', name),
  kind: 'group',
  name,
  group: name,
  location: arm.location,
  tags,
  extra: {},
  properties: { provisioningState: 'Succeeded' },
  hidden: {},
});

/** Microsoft.Resources: groups and what they hold. */
export function groupRoutes(arm: Arm): readonly Route[] {
  const { resources, operations, database } = arm;
  const find = (request: ArmRequest): Resource => {
    const name = parameter(request, 'name');
    const found = resources.find('group', resourceId(arm.subscription, '', 'group', name));
    if (found === undefined) throw groupNotFound(name);
    return found;
  };

  operations.define('group.delete', {
    async run(operation) {
      const group = resources.find('group', operation.resource);
      if (group === undefined) return;
      for (const kind of CONTENT)
        for (const resource of resources.list(kind, group.name)) {
          const id = operations.begin(`${kind}.delete`, resource.id);
          await operations.ended(id);
          const failure = operations.get(id)?.failure;
          if (failure !== undefined) throw new Error(`${resource.id}: ${failure.code}: ${failure.message}`);
        }
      resources.remove(group.id);
    },
    failed(operation) {
      const group = resources.find('group', operation.resource);
      if (group !== undefined) resources.put(withState(group, 'Failed'));
    },
  });

  const put = (request: ArmRequest): ArmReply => {
    const body = parseBody(Body, request.body);
    requireLocation(arm, 'group', body.location);
    const name = requireName('group', parameter(request, 'name'));
    const before = resources.find('group', resourceId(arm.subscription, '', 'group', name));
    const group = before === undefined ? newGroup(arm, name, body.tags) : { ...before, tags: body.tags };
    resources.put(group);
    return { status: before === undefined ? 201 : 200, body: render(group) };
  };
  const patch = (request: ArmRequest): ArmReply => {
    const { tags } = parseBody(z.looseObject({ tags: Tags }), request.body);
    const group = { ...find(request), tags };
    resources.put(group);
    return { status: 200, body: render(group) };
  };
  const remove = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const group = find(request);
      resources.put(withState(group, 'Deleting'));
      return { status: 202, operation: operations.begin('group.delete', group.id, {}, request.fault) };
    });
  const head = (request: ArmRequest): ArmReply => {
    find(request);
    return { status: 204 };
  };
  const holds = (request: ArmRequest, group?: string): ArmReply => {
    const tag = /tagName eq '([^']*)'/i.exec(request.query.get('$filter') ?? '')?.[1];
    const value = CONTENT.flatMap((kind) => resources.list(kind, group))
      .filter((resource) => tag === undefined || tag in resource.tags)
      .map((resource) => {
        const { properties: _, ...summary } = render(resource);
        return summary;
      });
    return { status: 200, body: { value } };
  };

  const one = '/subscriptions/{subscription}/resourceGroups/{name}';
  return [
    { method: 'GET', template: one, handle: (r) => ({ status: 200, body: render(find(r)) }) },
    { method: 'HEAD', template: one, handle: head },
    { method: 'PUT', template: one, fault: 'group.create', handle: put },
    { method: 'PATCH', template: one, handle: patch },
    { method: 'DELETE', template: one, fault: 'group.delete', handle: remove },
    {
      method: 'GET',
      template: '/subscriptions/{subscription}/resourceGroups',
      handle: () => ({ status: 200, body: { value: resources.list('group').map(render) } }),
    },
    { method: 'GET', template: `${one}/resources`, handle: (r) => holds(r, find(r).name) },
    { method: 'GET', template: '/subscriptions/{subscription}/resources', handle: (r) => holds(r) },
  ];
}
