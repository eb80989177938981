import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { conflict } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody, Tags } from '../requests/bodies.ts';
import { existing, groupOf, idOf, requireLocation, requireName } from './lookup.ts';
import { type Json, type Kind, type Resource, typeOf } from './resource.ts';

/** What differs between kinds whose PUT, PATCH, GET and DELETE go the usual way. */
export interface Tracked {
  readonly kind: Kind;
  /** Checks the body and says what is kept. @throws ArmError */
  accept(input: Accepting): Pick<Resource, 'properties' | 'extra' | 'hidden'>;
  /** Done after the record says Succeeded: repeated after a crash. */
  settle?(resource: Resource): Promise<void>;
  /** @throws ArmError if something needs it */
  removable(resource: Resource): void;
  /** Done before the record goes: repeated after a crash. */
  dispose?(resource: Resource): Promise<void>;
  /** Adds what follows from other resources. */
  view(resource: Resource): Json;
}

export interface Accepting {
  readonly id: string;
  readonly group: string;
  readonly body: unknown;
  readonly before: Resource | undefined;
}

const Envelope = z.looseObject({
  location: z.string({ error: "the required property 'location' was not found" }).min(1),
  tags: Tags,
});

export const withState = (resource: Resource, provisioningState: string): Resource => ({
  ...resource,
  properties: { ...resource.properties, provisioningState },
});

/** Routes and operations of one kind. */
export function trackedRoutes(arm: Arm, tracked: Tracked): readonly Route[] {
  const { kind } = tracked;
  const { resources, operations, database } = arm;
  const mark = (id: string, state: string): Resource | undefined => {
    const found = resources.find(kind, id);
    if (found === undefined) return undefined;
    const marked = withState(found, state);
    resources.put(marked);
    return marked;
  };
  operations.define(`${kind}.create`, {
    async run(operation) {
      const found = resources.find(kind, operation.resource);
      if (found === undefined) return;
      await tracked.settle?.(found);
      mark(operation.resource, 'Succeeded');
    },
    failed: (operation) => void mark(operation.resource, 'Failed'),
  });
  operations.define(`${kind}.delete`, {
    async run(operation) {
      const found = resources.find(kind, operation.resource);
      if (found === undefined) return;
      tracked.removable(found);
      await tracked.dispose?.(found);
      resources.remove(operation.resource);
    },
    failed: (operation) => void mark(operation.resource, 'Failed'),
  });

  const put = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const group = groupOf(arm, request);
      const id = idOf(arm, request, kind, group);
      const envelope = parseBody(Envelope, request.body);
      const location = requireLocation(arm, kind, envelope.location);
      const before = resources.find(kind, id);
      if (operations.busy(id)) throw conflict(id);
      const accepted = tracked.accept({ id: before?.id ?? id, group, body: request.body, before });
      const resource: Resource = {
        id: before?.id ?? id,
        kind,
        name: before?.name ?? requireName(kind, parameter(request, 'name')),
        group,
        location,
        tags: envelope.tags,
        ...accepted,
        properties: { ...accepted.properties, provisioningState: 'Updating' },
      };
      resources.put(resource);
      const operation = operations.begin(`${kind}.create`, resource.id, {}, request.fault);
      return { status: before === undefined ? 201 : 200, body: tracked.view(resource), operation };
    });

  const patch = (request: ArmRequest): ArmReply => {
    const { tags } = parseBody(z.looseObject({ tags: Tags }), request.body);
    const resource = { ...existing(arm, request, kind), tags };
    resources.put(resource);
    return { status: 200, body: tracked.view(resource) };
  };

  const remove = (request: ArmRequest): ArmReply =>
    database.transaction(() => {
      const group = groupOf(arm, request);
      const found = resources.find(kind, idOf(arm, request, kind, group));
      if (found === undefined) return { status: 204 };
      tracked.removable(found);
      mark(found.id, 'Deleting');
      return { status: 202, operation: operations.begin(`${kind}.delete`, found.id, {}, request.fault) };
    });

  const value = (found: readonly Resource[]): ArmReply => ({
    status: 200,
    body: { value: found.map(tracked.view) },
  });
  const all = `/subscriptions/{subscription}/providers/${typeOf[kind]}`;
  const grouped = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf[kind]}`;
  const one = `${grouped}/{name}`;
  return [
    {
      method: 'GET',
      template: one,
      handle: (r) => ({ status: 200, body: tracked.view(existing(arm, r, kind)) }),
    },
    { method: 'PUT', template: one, fault: `${kind}.create`, handle: put },
    { method: 'PATCH', template: one, fault: `${kind}.update`, handle: patch },
    { method: 'DELETE', template: one, fault: `${kind}.delete`, handle: remove },
    { method: 'GET', template: grouped, handle: (r) => value(resources.list(kind, groupOf(arm, r))) },
    { method: 'GET', template: all, handle: () => value(resources.list(kind)) },
  ];
}
