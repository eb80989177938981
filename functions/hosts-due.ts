import { dueHosts } from '../shared/ingress/certificates/obtain.ts';
import { allRoutes } from '../shared/ingress/claims.ts';
import type { Services } from './services.ts';

/** Hosts of routes by ACME whose certificate is to be asked for now. */
export async function hostsDue({
  tables,
  acme,
  now,
}: Pick<Services, 'tables' | 'acme' | 'now'>): Promise<readonly string[]> {
  const hosts = (await allRoutes(tables)).flatMap(({ route }) => (route.tls === 'acme' ? [route.host] : []));
  return hosts.length === 0 ? [] : dueHosts(hosts, await acme.list(), now());
}
