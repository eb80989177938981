import {
  abortRollout,
  pauseRollout,
  resumeRollout,
  undoRollout,
} from '../../../shared/api/routes/rollouts.ts';
import type { ServiceKey } from '../../../shared/model/service.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';

const locationOf = (key: ServiceKey): string =>
  `/api/v1/environments/${key.environment}/services/${key.application}/${key.service}`;

export const pause = endpoint(
  pauseRollout,
  async (call) => acceptCommand(call, { type: 'pause-rollout', ...call.params }, locationOf(call.params)),
  { durable: true },
);

export const resume = endpoint(
  resumeRollout,
  async (call) => acceptCommand(call, { type: 'resume-rollout', ...call.params }, locationOf(call.params)),
  { durable: true },
);

export const abort = endpoint(
  abortRollout,
  async (call) => acceptCommand(call, { type: 'abort-rollout', ...call.params }, locationOf(call.params)),
  { durable: true },
);

export const undo = endpoint(
  undoRollout,
  async (call) =>
    acceptCommand(call, { type: 'undo-rollout', ...call.params, ...call.body }, locationOf(call.params)),
  { durable: true },
);
