import type { Arm } from '../arm.ts';
import type { Route } from '../requests/arm-request.ts';
import { actionCommandRoutes } from './action-command.ts';
import { executions } from './executions.ts';
import { extensionRoutes } from './extensions.ts';
import { managedCommandRoutes } from './managed-commands.ts';

/** Everything of Microsoft.Compute that runs scripts in machines. */
export function runCommandRoutes(arm: Arm): readonly Route[] {
  const made = executions(arm);
  return [
    ...managedCommandRoutes(arm, made),
    ...actionCommandRoutes(arm, made),
    ...extensionRoutes(arm, made),
  ];
}
