import type { ApplicationSpec } from '../model/application.ts';
import { Invalid, type Issue } from '../model/invalid.ts';
import type { EnvironmentName } from '../model/names.ts';
import { documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { CertificateRecord } from './certificates/certificate-store.ts';
import { routesTaken, takenRoutes } from './claims.ts';
import { covers } from './proxy-config.ts';

/**
 * Refuses an application whose routes others have, or whose certificates are not there or are for other names.
 * @throws Invalid `route-taken`, `certificate-missing`
 */
export async function admitRoutes(
  tables: Tables,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<void> {
  const taken = await takenRoutes(tables, environment, spec);
  if (taken.length > 0) throw routesTaken(taken);
  const named = Object.entries(spec.services).flatMap(([service, { routes = [] }]) =>
    routes.flatMap(({ host, tls }, index) =>
      tls === 'off' || tls === 'acme' ? [] : [{ path: `services.${service}.routes.${index}.tls`, host, tls }],
    ),
  );
  if (named.length === 0) return;
  const known = new Map<string, CertificateRecord>();
  for await (const { value } of documents(tables, 'certificates', CertificateRecord).list({}))
    known.set(value.name, value);
  const issues = named.flatMap(({ path, host, tls }): Issue[] => {
    const found = known.get(tls);
    if (found === undefined) return [{ path, message: `there is no certificate ${tls}` }];
    if (host === '*' || found.hosts.some((name) => covers(name, host))) return [];
    return [{ path, message: `the certificate ${tls} is for ${found.hosts.join(', ')}, not for ${host}` }];
  });
  if (issues.length > 0)
    throw new Invalid({
      code: 'certificate-missing',
      message: issues.map(({ path, message }) => `${path}: ${message}`).join('\n'),
      remedy:
        'Set it first: berth routes certificate set NAME --certificate FILE --key FILE. Nothing was changed.',
      issues,
    });
}
