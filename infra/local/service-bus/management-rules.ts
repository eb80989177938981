import type { Typed } from 'rhea';
import { z } from 'zod';
import { Refused, types } from './amqp.ts';
import { correlationFields, type Filter, filterAsked } from './filters.ts';
import { type Answer, noContent, ok, parse } from './management-requests.ts';
import type { QueueStore } from './queue-store.ts';
import type { Rule } from './rules.ts';

/** Descriptors of what `com.microsoft:enumerate-rules` lists. */
const codes = {
  rule: 0x0137_0000_0004,
  noAction: 0x0137_0000_0005,
  true: 0x13_7000_0007,
  false: 0x13_7000_0008,
  correlation: 0x13_7000_0009,
} as const;

const Named = z.object({ 'rule-name': z.string().min(1).max(50) });

/** @param subscription its path: `topic/subscriptions/name` */
type Operation = (store: QueueStore, subscription: string, body: unknown) => Answer;

export const ruleOperations: Record<string, Operation> = {
  'com.microsoft:add-rule': (store, subscription, body) => {
    const given = parse(Named.extend({ 'rule-description': z.looseObject({}) }), body);
    const description = given['rule-description'];
    if (description['sql-rule-action'] !== undefined && description['sql-rule-action'] !== null)
      throw new Refused(501, 'amqp:not-implemented', 'This namespace carries out no actions of rules.');
    store.addRule(subscription, { name: given['rule-name'], filter: filterAsked(description) });
    return ok({});
  },
  'com.microsoft:remove-rule': (store, subscription, body) => {
    store.removeRule(subscription, parse(Named, body)['rule-name']);
    return ok({});
  },
  'com.microsoft:enumerate-rules': (store, subscription, body) => {
    const { top, skip } = parse(
      z.object({ top: z.number().int().min(0), skip: z.number().int().min(0).default(0) }),
      body,
    );
    const rules = store.rulesOf(subscription).slice(skip, skip + top);
    if (rules.length === 0) return noContent;
    return ok({ rules: rules.map((rule) => ({ 'rule-description': describedRule(rule) })) });
  },
};

function describedRule({ name, filter }: Rule): Typed {
  return described(codes.rule, [
    describedFilter(filter),
    described(codes.noAction, []),
    types.wrap_string(name),
  ]);
}

function describedFilter(filter: Filter): Typed {
  if (filter.kind !== 'correlation') return described(codes[filter.kind], []);
  const fields = correlationFields.map((field) => types.wrap(filter.fields[field] ?? null));
  return described(codes.correlation, [...fields, types.wrap_map(filter.properties)]);
}

const described = (code: number, list: readonly Typed[]): Typed =>
  types.described(types.wrap_ulong(code), types.wrap_list([...list]));
