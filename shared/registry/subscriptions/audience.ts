import { matchesPattern } from '../../model/pattern.ts';
import type { Action, Subscription, SubscriptionName } from '../../model/subscription.ts';

/** Who hears of what is done in repositories. */
export interface Audience {
  /**
   * @param repository with us its name, elsewhere `<host>/<name>`
   * @returns a function that names the subscriptions that hear of an action in it
   */
  of(repository: string): Promise<(action: Action) => readonly SubscriptionName[]>;
}

export function audienceIn(
  subscriptions: readonly Subscription[],
  repository: string,
): (action: Action) => readonly SubscriptionName[] {
  const here = subscriptions.filter(({ repositories }) =>
    repositories.some((pattern) => matchesPattern(pattern, repository)),
  );
  return (action) => here.filter(({ actions }) => actions.includes(action)).map(({ name }) => name);
}
