import { z } from 'zod';
import type { Brand } from './brand.ts';

export type CertificateName = Brand<string, 'CertificateName'>;
export const CertificateName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected 1 to 40 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
  )
  .transform((name) => name as CertificateName);

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const HOST = new RegExp(`^(\\*|(\\*\\.)?${LABEL}(\\.${LABEL})*)$`);

/** `shop.example.com`; `*.example.com` for one label more, whichever; `*` for every name and address. */
const RouteHost = z
  .string()
  .max(253)
  .regex(
    HOST,
    'expected a host name in lower case, for example shop.example.com, *.example.com, or * for every name',
  );

/** A prefix of whole segments: `/api` is `/api` and `/api/…`, but not `/apis`. */
const RoutePath = z
  .string()
  .max(200)
  .regex(
    /^\/([A-Za-z0-9._~-]+\/?)*$/,
    'expected a path such as /api: letters, digits, ".", "_", "~", "-" between slashes',
  )
  .transform((path) => (path === '/' ? path : path.replace(/\/$/, '')));

/** `acme`: by the authority that the app is set to; `off`: http only; otherwise the name of a certificate that was set. */
const RouteTls = z.union(
  [z.literal('acme'), z.literal('off'), CertificateName],
  'expected off, acme, or the name of a certificate that was set',
);

/** Durations are seconds. */
const RouteTimeouts = z.strictObject({
  /** To a replica; after it another one is tried. */
  connect: z.number().positive().max(60).default(2),
  /** Until the replica begins to answer, and between two parts of an answer. A request itself must begin within 10 s. */
  request: z.number().positive().max(3600).default(60),
  /** Without a byte on a connection that was upgraded (websockets). */
  idle: z.number().positive().max(86_400).default(3600),
  /** That requests under way have to end before their replica is stopped. */
  drain: z.number().min(0).max(600).default(10),
});

const RouteLimits = z.strictObject({
  /** Largest body of a request; KiB. A body whose length is not told is then refused with 411. */
  body: z.number().int().min(1).max(10_485_760).optional(),
  /** Requests that each replica is given at once; more wait, 10 s at most. */
  connections: z.number().int().min(1).max(100_000).optional(),
  /** Requests a second of each client address, counted by each ingress; more are refused with 429. */
  requestsPerSecond: z.number().int().min(1).max(100_000).optional(),
});

/** Host name and path → a service. */
export const RouteSpec = z.strictObject({
  host: RouteHost,
  path: RoutePath.default('/'),
  tls: RouteTls.default('off'),
  /** Answer http with a redirect to https; absent: wherever there is TLS. */
  redirect: z.boolean().optional(),
  /** The replica sees the path without the prefix. */
  stripPrefix: z.boolean().default(false),
  /** A client stays with a replica by this cookie for as long as the replica serves. */
  sticky: z
    .strictObject({
      cookie: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected letters, digits, "_" and "-"'),
    })
    .optional(),
  limits: RouteLimits.default(RouteLimits.parse({})),
  timeouts: RouteTimeouts.default(RouteTimeouts.parse({})),
});
export type RouteSpec = z.infer<typeof RouteSpec>;

/** Most routes of one service. */
export const MOST_ROUTES = 40;

/** What two services cannot both have. */
export const routeId = ({ host, path }: Pick<RouteSpec, 'host' | 'path'>): string => `${host}${path}`;

/** Where a client goes for it; a host of `*` is for whoever reads it to fill in. */
export const routeUrl = ({ host, path, tls }: Pick<RouteSpec, 'host' | 'path' | 'tls'>): string =>
  `${tls === 'off' ? 'http' : 'https'}://${host}${path}`;

/** Whether plain http is answered with the way to https. */
export const redirects = ({ tls, redirect }: Pick<RouteSpec, 'tls' | 'redirect'>): boolean =>
  redirect ?? tls !== 'off';

/** Faults of one route alone that its schema does not tell. */
export function routeFaults(
  route: RouteSpec,
): readonly { readonly key: keyof RouteSpec; readonly message: string }[] {
  const faults: { key: keyof RouteSpec; message: string }[] = [];
  if (route.tls === 'acme' && route.host.startsWith('*'))
    faults.push({
      key: 'tls',
      message: `a certificate for ${route.host} cannot be had by HTTP-01: expected the name of a certificate of yours (berth routes certificate set), or single host names`,
    });
  if (route.tls === 'off' && route.redirect === true)
    faults.push({
      key: 'redirect',
      message: 'there is no https to redirect to: expected tls: acme or a certificate',
    });
  if (route.stripPrefix && route.path === '/')
    faults.push({
      key: 'stripPrefix',
      message: 'the path is / and leaves nothing to strip: expected a longer path',
    });
  return faults;
}
