import { balanceIngress } from '../../shared/ingress/ingress-activities.ts';
import { changeState } from '../../shared/ingress/ingress-state.ts';
import { activity } from './activity.ts';

/** That there is, or may be, something in ARM is written before it is asked for. */
export const balanceIngressActivity = activity(balanceIngress, async ({ members }, made) => {
  const { ingress, balancer } = made;
  if (members === undefined) {
    await changeState(ingress, (state) =>
      state.balancer === undefined
        ? undefined
        : { ...state, balancer: { ...state.balancer, state: 'removing' } },
    );
    const progress = await balancer.remove();
    if (progress.state === 'done') await changeState(ingress, ({ balancer: _, ...state }) => state);
    return progress;
  }
  await changeState(ingress, (state) =>
    state.balancer?.state === 'ready'
      ? undefined
      : { ...state, balancer: { members: [], ...state.balancer, state: 'making' } },
  );
  const progress = await balancer.ensure(members);
  if (progress.state !== 'done') return progress;
  const { address } = progress;
  await changeState(ingress, (state) => ({
    ...state,
    balancer: { state: 'ready', members: [...members], ...(address !== undefined && { address }) },
  }));
  return { state: 'done' };
});
