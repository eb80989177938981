import * as df from 'durable-functions';
import { commandEvent } from '../../shared/events/command-event.ts';
import { deployIngress } from '../../shared/ingress/ingress-activities.ts';
import { INGRESS, ingressApplication, SYSTEM_ENVIRONMENT } from '../../shared/ingress/ingress-application.ts';
import { changeState, readState } from '../../shared/ingress/ingress-state.ts';
import { deploymentOf } from '../../shared/ingress/next-step.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { SYSTEM_SOURCE } from '../../shared/workloads/system-environment.ts';
import { acceptEvent } from '../accept-event.ts';
import { activity } from './activity.ts';

/** The event's id is that of the orchestration: a repeated call deploys nothing twice. */
activity(
  deployIngress,
  async ({ owner, remove }, made, context) => {
    const state = await readState(made.ingress);
    const { image, settings } = state;
    const application =
      remove || image === undefined
        ? ApplicationSpec.parse({ name: INGRESS.application })
        : ingressApplication(image.digest, settings);
    const deployed = remove ? undefined : deploymentOf(state);
    const id = `${owner} ${deployed ?? 'removed'}`;
    const command = { type: 'deploy', environment: SYSTEM_ENVIRONMENT, application } as const;
    await acceptEvent(made, df.getClient(context), commandEvent(command, SYSTEM_SOURCE, id, made.now()));
    await changeState(made.ingress, ({ deployed: _, ...rest }) => ({
      ...rest,
      ...(deployed !== undefined && { deployed }),
    }));
    return {};
  },
  { durable: true },
);
