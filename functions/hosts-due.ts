import { dueHosts, forgettableHosts } from '../shared/ingress/certificates/obtain.ts';
import { ACME_PREFIX } from '../shared/ingress/certificates/read-certificate.ts';
import { allRoutes } from '../shared/ingress/claims.ts';
import type { Services } from './services.ts';

/** Hosts of routes by ACME whose certificate is to be asked for now. */
export async function hostsDue({
  tables,
  acme,
  now,
}: Pick<Services, 'tables' | 'acme' | 'now'>): Promise<readonly string[]> {
  const hosts = await acmeHosts(tables);
  return hosts.length === 0 ? [] : dueHosts(hosts, await acme.list(), now());
}

/** Takes away what is known of hosts that have no route by ACME any more. */
export async function forgetHosts({
  tables,
  acme,
  certificates,
  now,
}: Pick<Services, 'tables' | 'acme' | 'certificates' | 'now'>): Promise<void> {
  const records = await acme.list();
  if (records.length === 0) return;
  for (const host of forgettableHosts(await acmeHosts(tables), records, now())) {
    await certificates.remove(`${ACME_PREFIX}${host}`);
    await acme.remove(host);
  }
}

const acmeHosts = async (tables: Services['tables']): Promise<readonly string[]> =>
  (await allRoutes(tables)).flatMap(({ route }) => (route.tls === 'acme' ? [route.host] : []));
