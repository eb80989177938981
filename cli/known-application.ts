import { getApplication } from '../shared/api/routes/applications.ts';
import type { Session } from './session.ts';

/** Where nothing was found: that of an application which was never deployed is no answer. @throws Failure `application-not-found` */
export async function requireApplication(
  { client, environment }: Pick<Session, 'client' | 'environment'>,
  application: string | undefined,
): Promise<void> {
  if (application !== undefined) await client.call(getApplication, { params: { environment, application } });
}
