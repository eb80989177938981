import { type LookedAt, lookAtIngress } from '../../shared/ingress/ingress-activities.ts';
import { changeState } from '../../shared/ingress/ingress-state.ts';
import { nextIngressStep } from '../../shared/ingress/next-step.ts';
import { seeIngress } from '../../shared/ingress/see-ingress.ts';
import { activity } from './activity.ts';

export const lookAtIngressActivity = activity(
  lookAtIngress,
  async ({ owner, take }, made): Promise<LookedAt> => {
    if (take) await changeState(made.ingress, (state) => ({ ...state, owner }));
    const seen = await seeIngress(made);
    if (seen.state.owner !== owner) return { outcome: 'superseded' };
    return { outcome: 'seen', step: nextIngressStep(seen) };
  },
);
