import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import { type Filter, parseStoredFilter } from './filters.ts';
import type { Query } from './queue-store.ts';

export interface Rule {
  readonly name: string;
  readonly filter: Filter;
}

/** What a subscription takes of its topic: a message that any of its rules lets through. */
export interface Rules {
  /** A subscription that was never seen has the rule `$Default`, which lets everything through. */
  ensureSubscription(subscription: string): void;
  rulesOf(subscription: string): Rule[];
  /** @throws Refused if there is one of this name */
  addRule(subscription: string, rule: Rule): void;
  /** @throws Refused if there is none of this name */
  removeRule(subscription: string, name: string): void;
}

export function rules(database: Database, query: Query): Rules {
  const insert = (subscription: string, { name, filter }: Rule) =>
    query(
      'INSERT INTO rules (subscription, name, filter) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1',
      subscription,
      name,
      JSON.stringify(filter),
    ).length === 1;
  return {
    ensureSubscription: (subscription) =>
      database.transaction(() => {
        const sql = 'INSERT INTO subscriptions (name) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1';
        if (query(sql, subscription).length === 1)
          insert(subscription, { name: '$Default', filter: { kind: 'true' } });
      }),
    rulesOf: (subscription) =>
      query('SELECT name, filter FROM rules WHERE subscription = ? ORDER BY name', subscription).map(
        ({ name, filter }) => ({ name: String(name), filter: parseStoredFilter(String(filter)) }),
      ),
    addRule: (subscription, rule) =>
      database.transaction(() => {
        if (!insert(subscription, rule))
          throw new Refused(
            409,
            'com.microsoft:entity-already-exists',
            `'${subscription}' has a rule '${rule.name}' already.`,
          );
      }),
    removeRule: (subscription, name) =>
      database.transaction(() => {
        const sql = 'DELETE FROM rules WHERE subscription = ? AND name = ? RETURNING 1';
        if (query(sql, subscription, name).length === 0)
          throw new Refused(
            404,
            'amqp:not-found',
            `The messaging entity '${subscription}|${name}' could not be found: there is no such rule.`,
          );
      }),
  };
}
