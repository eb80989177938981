import { z } from 'zod';
import { PoolName } from '../../model/names.ts';
import { CertificateName, RouteSpec } from '../../model/route.ts';
import { ServiceKey } from '../../model/service.ts';
import { route } from '../route.ts';

/** A route, and how it does. */
export const RouteView = z.object({
  /** Host and path together: what names it. */
  id: z.string(),
  key: ServiceKey,
  route: RouteSpec,
  url: z.string(),
  /** Replicas that requests go to. */
  replicas: z.number().int(),
  /** Absent where TLS is off. */
  certificate: z
    .object({
      state: z.enum(['valid', 'missing', 'asking', 'failed']),
      notAfter: z.iso.datetime().optional(),
      /** What the authority said last. */
      reason: z.string().optional(),
      nextAt: z.iso.datetime().optional(),
    })
    .optional(),
});
export type RouteView = z.infer<typeof RouteView>;

export const IngressView = z.object({
  settings: z.object({ replicas: z.number().int(), everyMachine: z.boolean(), pool: PoolName }),
  /** Address that leads to all routes; absent while there is none. */
  address: z.string().optional(),
  replicas: z.object({ wanted: z.number().int(), healthy: z.number().int() }),
  /** Version of the proxy, by Debian's package. */
  proxy: z.string().optional(),
  /** What is done for it next, and why. */
  next: z.object({ step: z.string(), reason: z.string() }),
  failure: z.object({ code: z.string(), reason: z.string(), at: z.iso.datetime() }).optional(),
});
export type IngressView = z.infer<typeof IngressView>;

export const CertificateView = z.object({
  name: z.string(),
  hosts: z.array(z.string()),
  fingerprint: z.string(),
  issuer: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  /** Routes that use it. */
  routes: z.array(z.string()),
});
export type CertificateView = z.infer<typeof CertificateView>;

const certificate = '/api/v1/certificates/{certificate}' as const;
const ofCertificate = z.object({ certificate: CertificateName });

export const listRoutes = route({
  name: 'list-routes',
  method: 'GET',
  path: '/api/v1/routes',
  permission: 'routes.read',
  summary: 'All routes with their services, certificates and replicas, and the address that leads to them.',
  answer: z.object({ ingress: IngressView, routes: z.array(RouteView) }),
});

export const putIngress = route({
  name: 'put-ingress',
  method: 'PUT',
  path: '/api/v1/ingress',
  permission: 'routes.admin',
  summary: 'How many replicas the ingress has, and on which pool of machines.',
  body: {
    schema: z.strictObject({
      replicas: z.number().int().min(1).max(100).optional(),
      everyMachine: z.boolean().optional(),
      pool: PoolName.optional(),
    }),
  },
  answer: IngressView,
});

export const listCertificates = route({
  name: 'list-certificates',
  method: 'GET',
  path: '/api/v1/certificates',
  permission: 'routes.read',
  summary: 'Certificates that routes may use, given and by ACME; their keys are never told.',
  answer: z.object({ certificates: z.array(CertificateView) }),
});

export const putCertificate = route({
  name: 'put-certificate',
  method: 'PUT',
  path: certificate,
  permission: 'routes.admin',
  summary: 'Sets a certificate with its key, which is sealed; proxies have it when this is answered.',
  params: ofCertificate,
  body: {
    schema: z.strictObject({
      /** PEM: the host’s own first, then those that signed it. */
      certificate: z.string().min(1).max(100_000),
      /** PEM, not encrypted. */
      key: z.string().min(1).max(20_000),
    }),
  },
  answer: CertificateView,
});

export const deleteCertificate = route({
  name: 'delete-certificate',
  method: 'DELETE',
  path: certificate,
  permission: 'routes.admin',
  summary: 'Removes a certificate that no route uses.',
  params: ofCertificate,
  status: 204,
  answer: z.null(),
});
