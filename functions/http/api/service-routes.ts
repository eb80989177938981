import * as df from 'durable-functions';
import {
  type CertificateView,
  deleteCertificate,
  type IngressView,
  listCertificates,
  listRoutes,
  putCertificate,
  putIngress,
  type RouteView,
} from '../../../shared/api/routes/service-routes.ts';
import type { AcmeRecord } from '../../../shared/ingress/certificates/acme-store.ts';
import type { CertificateRecord } from '../../../shared/ingress/certificates/certificate-store.ts';
import { ACME_PREFIX, readCertificate } from '../../../shared/ingress/certificates/read-certificate.ts';
import { allRoutes } from '../../../shared/ingress/claims.ts';
import { changeState, ingressPlaces } from '../../../shared/ingress/ingress-state.ts';
import { nextIngressStep } from '../../../shared/ingress/next-step.ts';
import { covers } from '../../../shared/ingress/proxy-config.ts';
import { backendName, type RouteRow } from '../../../shared/ingress/route-row.ts';
import { seeIngress } from '../../../shared/ingress/see-ingress.ts';
import { isIn } from '../../../shared/ingress/slots.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { routeId, routeUrl } from '../../../shared/model/route.ts';
import type { Services } from '../../services.ts';
import { sweepIngress } from '../../sweep-ingress.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const list = endpoint(listRoutes, async ({ services }) => {
  const [rows, proxy, records, attempts] = await Promise.all([
    allRoutes(services.tables),
    services.ingress.proxy.get(...ingressPlaces.proxy),
    services.certificates.list(),
    services.acme.list(),
  ]);
  const serving = (row: RouteRow) => (proxy?.value.servers[backendName(row)] ?? []).filter(isIn).length;
  const routes = rows.map((row): RouteView => {
    const { key, route } = row;
    const certificate = certificateOf(row, records, attempts);
    return {
      id: routeId(route),
      key,
      route,
      url: routeUrl(route),
      replicas: serving(row),
      ...(certificate && { certificate }),
    };
  });
  return { ingress: await ingressView(services), routes };
});

export const putSettings = endpoint(
  putIngress,
  async ({ body, context, services }) => {
    const { replicas, everyMachine, pool } = body;
    await changeState(services.ingress, (state) => ({
      ...state,
      settings: {
        replicas: replicas ?? state.settings.replicas,
        everyMachine: everyMachine ?? (replicas === undefined && state.settings.everyMachine),
        pool: pool ?? state.settings.pool,
      },
    }));
    await sweepIngress(services, df.getClient(context));
    return await ingressView(services);
  },
  { durable: true },
);

export const listAll = endpoint(listCertificates, async ({ services }) => {
  const [records, rows] = await Promise.all([services.certificates.list(), allRoutes(services.tables)]);
  return { certificates: records.map((record) => certificateView(record, rows)) };
});

export const put = endpoint(putCertificate, async ({ params, body, services }) => {
  const { certificate: name } = params;
  refuseAcmeName(name);
  const { record, pem } = readCertificate(name, body.certificate, body.key, services.now());
  await services.certificates.put(record, pem);
  await services.notice.push();
  return certificateView(record, await allRoutes(services.tables));
});

export const remove = endpoint(deleteCertificate, async ({ params, services }) => {
  const { certificate: name } = params;
  refuseAcmeName(name);
  const record = await services.certificates.get(name);
  if (record === undefined) throw notFound('certificate', name, 'List them: berth routes certificate ls');
  const { routes } = certificateView(record, await allRoutes(services.tables));
  if (routes.length > 0)
    throw new Terminal({
      code: 'certificate-used',
      status: 409,
      message: `The certificate ${name} is used by ${routes.join(', ')}.`,
      remedy: 'Give these routes another tls first; nothing was changed.',
    });
  await services.certificates.remove(name);
  await services.notice.push();
  return null;
});

function refuseAcmeName(name: string): void {
  if (!name.startsWith(ACME_PREFIX)) return;
  throw new Terminal({
    code: 'certificate-name-reserved',
    message: `Names that begin with ${ACME_PREFIX} are those of certificates that Berth gets by ACME.`,
    remedy: 'Choose another name.',
  });
}

async function ingressView(services: Services): Promise<IngressView> {
  const seen = await seeIngress(services);
  const { settings, balancer, image, failure } = seen.state;
  const { step, reason } = nextIngressStep(seen);
  return {
    settings,
    ...(balancer?.address !== undefined && { address: balancer.address }),
    replicas: { wanted: seen.wanted, healthy: seen.healthy },
    ...(image && { proxy: image.version }),
    next: { step, reason },
    ...(failure && { failure }),
  };
}

const certificateView = (record: CertificateRecord, rows: readonly RouteRow[]): CertificateView => ({
  ...record,
  hosts: [...record.hosts],
  routes: rows
    .filter(({ route }) => (route.tls === 'acme' ? `${ACME_PREFIX}${route.host}` : route.tls) === record.name)
    .map(({ route }) => routeId(route)),
});

function certificateOf(
  { route }: RouteRow,
  records: readonly CertificateRecord[],
  attempts: readonly AcmeRecord[],
): RouteView['certificate'] {
  if (route.tls === 'off') return undefined;
  const name = route.tls === 'acme' ? `${ACME_PREFIX}${route.host}` : route.tls;
  const found = records.find(
    (record) =>
      record.name === name && (route.host === '*' || record.hosts.some((host) => covers(host, route.host))),
  );
  const attempt = route.tls === 'acme' ? attempts.find(({ host }) => host === route.host) : undefined;
  const state = found !== undefined ? 'valid' : (attempt?.state ?? 'missing');
  return {
    state: state === 'valid' && found === undefined ? 'missing' : state,
    ...(found && { notAfter: found.notAfter }),
    ...(attempt?.reason !== undefined && { reason: attempt.reason, nextAt: attempt.nextAt }),
  };
}
