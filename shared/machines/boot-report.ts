import type { Machine } from '../model/machine.ts';
import { type LaunchFailure, remedyOf } from './launch-failure.ts';

/**
 * Why a machine that is still booting will not come: its cloud-init ended with errors, and its engine does not answer.
 * With an engine that answers the errors are only shown: they concern something else. Pure.
 */
export function bootFailure({ name, boot, status }: Machine): LaunchFailure | undefined {
  if (status.state !== 'booting' || boot === undefined || boot.errors.length === 0 || boot.engine)
    return undefined;
  return {
    code: 'cloud-init-failed',
    reason: `cloud-init of ${name} ended with errors: ${boot.errors.join('; ')}`,
    remedy: remedyOf('cloud-init-failed'),
  };
}
