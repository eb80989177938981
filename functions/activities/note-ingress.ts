import { noteIngress } from '../../shared/ingress/ingress-activities.ts';
import { changeState } from '../../shared/ingress/ingress-state.ts';
import { activity } from './activity.ts';

export const noteIngressActivity = activity(noteIngress, async ({ owner, failure }, made) => {
  await changeState(made.ingress, ({ failure: _, ...state }) =>
    state.owner === owner
      ? { ...state, ...(failure && { failure: { ...failure, at: made.now().toISOString() } }) }
      : undefined,
  );
  return {};
});
