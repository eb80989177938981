import { Terminal } from '../model/errors.ts';
import type { EnvironmentName } from '../model/names.ts';

/** Source of events by which Berth deploys what it needs itself. */
export const SYSTEM_SOURCE = 'berth';
const SYSTEM_ENVIRONMENT = 'berth';

/** @throws Terminal `environment-reserved` @param cause `<source> <id>` of the event; absent: somebody asks */
export function refuseSystemEnvironment(environment: EnvironmentName, cause?: string): void {
  if (environment !== SYSTEM_ENVIRONMENT || cause?.startsWith(`${SYSTEM_SOURCE} `) === true) return;
  throw new Terminal({
    code: 'environment-reserved',
    status: 409,
    message: `The environment ${SYSTEM_ENVIRONMENT} is that of Berth's own services, such as the ingress.`,
    remedy: 'Name another environment; nothing was done.',
  });
}
