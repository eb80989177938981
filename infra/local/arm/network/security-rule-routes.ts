import type { Arm } from '../arm.ts';
import { conflict, resourceNotFound } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody } from '../requests/bodies.ts';
import { existing } from '../resources/lookup.ts';
import { type Resource, typeOf } from '../resources/resource.ts';
import { acceptRules, rulesOf } from './security-groups.ts';
import { RuleBody } from './security-rules.ts';

/** Rules as resources of their own: the record is the group's, and a change reaches the machines at once. */
export function securityRuleRoutes(arm: Arm): readonly Route[] {
  const view = (group: Resource, rule: RuleBody) => ({
    ...rule,
    id: `${group.id}/securityRules/${rule.name}`,
    type: `${typeOf.nsg}/securityRules`,
    properties: { ...rule.properties, provisioningState: group.properties.provisioningState },
  });
  const find = (group: Resource, request: ArmRequest): RuleBody | undefined =>
    rulesOf(group).find((rule) => rule.name.toLowerCase() === parameter(request, 'rule').toLowerCase());
  const keep = (group: Resource, rules: readonly RuleBody[], request: ArmRequest) => {
    if (arm.operations.busy(group.id)) throw conflict(group.id);
    const securityRules = acceptRules(rules, group.id);
    const changed = {
      ...group,
      properties: { ...group.properties, securityRules, provisioningState: 'Updating' },
    };
    arm.resources.put(changed);
    return { changed, operation: arm.operations.begin('nsg.create', group.id, {}, request.fault) };
  };
  const get = (request: ArmRequest): ArmReply => {
    const group = existing(arm, request, 'nsg');
    const rule = find(group, request);
    if (rule === undefined)
      throw resourceNotFound(
        `${typeOf.nsg}/${group.name}/securityRules`,
        parameter(request, 'rule'),
        group.group,
      );
    return { status: 200, body: view(group, rule) };
  };
  const put = (request: ArmRequest): ArmReply =>
    arm.database.transaction(() => {
      const group = existing(arm, request, 'nsg');
      const body = parseBody(RuleBody, { ...(request.body as object), name: parameter(request, 'rule') });
      const before = find(group, request);
      const { changed, operation } = keep(
        group,
        [...rulesOf(group).filter((rule) => rule !== before), body],
        request,
      );
      const rule = find(changed, request) ?? body;
      return { status: before === undefined ? 201 : 200, body: view(changed, rule), operation };
    });
  const remove = (request: ArmRequest): ArmReply =>
    arm.database.transaction(() => {
      const group = existing(arm, request, 'nsg');
      const rule = find(group, request);
      if (rule === undefined) return { status: 204 };
      return {
        status: 202,
        operation: keep(
          group,
          rulesOf(group).filter((other) => other !== rule),
          request,
        ).operation,
      };
    });
  const list = (request: ArmRequest): ArmReply => {
    const group = existing(arm, request, 'nsg');
    return { status: 200, body: { value: rulesOf(group).map((rule) => view(group, rule)) } };
  };
  const base = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.nsg}/{name}/securityRules`;
  return [
    { method: 'GET', template: base, handle: list },
    { method: 'GET', template: `${base}/{rule}`, handle: get },
    { method: 'PUT', template: `${base}/{rule}`, fault: 'nsgRule.create', handle: put },
    { method: 'DELETE', template: `${base}/{rule}`, fault: 'nsgRule.delete', handle: remove },
  ];
}
