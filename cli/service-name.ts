import { listServices } from '../shared/api/routes/services.ts';
import { findPart } from './names.ts';
import type { Session } from './session.ts';

export interface ServiceParams extends Record<string, string> {
  readonly environment: string;
  readonly application: string;
  readonly service: string;
}

/**
 * `application/service[/replica]`, or the service alone where that is enough.
 * @throws Failure `service-not-found`, `service-ambiguous`
 */
export async function serviceNamed(
  { client, environment }: Pick<Session, 'client' | 'environment'>,
  name: string,
): Promise<{ readonly params: ServiceParams; readonly replica: string | undefined }> {
  const [before = '', second, replica] = name.split('/');
  // `/web/0`: of whichever application has it.
  const first = before === '' ? undefined : before;
  const { services } = await client.call(listServices, { params: { environment } });
  const { application, part: service } = findPart(
    second === undefined ? before : first === undefined ? second : `${first}/${second}`,
    services.map(({ key }) => ({ application: key.application, part: key.service })),
    'service',
  );
  return { params: { environment, application, service }, replica };
}
