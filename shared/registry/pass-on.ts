import type { RegistryDeps } from './call.ts';
import type { Left } from './record.ts';

/** What was done is done, whatever becomes of its events: those that are not accepted now stay, to be found again. */
export async function passOn(
  { onActivity, report }: Pick<RegistryDeps, 'onActivity' | 'report'>,
  left: Left | undefined,
): Promise<void> {
  if (left === undefined || (left.pushes.length === 0 && left.subscriptions.length === 0)) return;
  const { feed, pushes, subscriptions } = left;
  try {
    await onActivity({ feed, pushes: pushes.map(({ event }) => event), subscriptions });
    await Promise.all(pushes.map((push) => push.accepted()));
  } catch (error) {
    report(error);
  }
}
