import { type RouteSpec, redirects } from '../model/route.ts';
import { backendName, type RouteRow } from './route-row.ts';
import { isIn, type Slots } from './slots.ts';

/** What a proxy is to do: the same input gives the same texts. */
export interface ProxyInput {
  readonly routes: readonly RouteRow[];
  /** By the route's backend. */
  readonly servers: Readonly<Record<string, Slots>>;
  /** Certificates that are there, by name, with the host names that each is for; the files hold them by name. */
  readonly certificates: readonly ProxyCertificate[];
  /** Answers to an authority's challenges: token → text. RFC 8555, 8.3. */
  readonly challenges: Readonly<Record<string, string>>;
}

interface ProxyCertificate {
  readonly name: string;
  readonly hosts: readonly string[];
  /** Changes with its content. */
  readonly fingerprint: string;
}

interface ProxyConfig {
  /** haproxy.cfg. https://docs.haproxy.org/2.6/configuration.html */
  readonly text: string;
  /** Equal for configurations that differ in their servers alone: these are changed while the proxy runs. */
  readonly structure: string;
  /** Lines for the proxy's own socket that make the servers those of `text`. https://docs.haproxy.org/2.6/management.html#9.3 */
  readonly commands: readonly string[];
}

export const HTTP_PORT = 80;
export const HTTPS_PORT = 443;
/** Answers `/healthz` once a configuration of ours is in use. */
export const HEALTH_PORT = 8404;

/** Configuration of the proxy for these routes. Pure. */
export function proxyConfig(input: ProxyInput): ProxyConfig {
  const whole = render(input, (slots, index) => {
    const server = slots[index];
    return isIn(server) ? `${server.address}:${server.port}` : '127.0.0.1:1 disabled';
  });
  const certificates = input.certificates.map(({ name, fingerprint }) => `# ${name} ${fingerprint}`);
  const structure = hashOf([...render(input, () => '-'), ...certificates].join('\n'));
  const text = whole.join('\n').replace(GLOBAL, `${GLOBAL}\n  setenv ${STRUCTURE} ${structure}`);
  return { text: `${text}\n`, structure, commands: commandsOf(input) };
}

function render(input: ProxyInput, addressOf: (slots: Slots, index: number) => string): string[] {
  const { routes, servers, certificates, challenges } = input;
  const sorted = [...routes].sort(bySpecificity);
  return [
    ...SETTINGS,
    '',
    ...frontend(sorted, certificates, challenges),
    ...sorted.flatMap((row) => [
      '',
      ...backend(row, servers[backendName(row)] ?? [], certificates, addressOf),
    ]),
    '',
    'backend no_route',
    `  http-request return status 404 content-type text/plain string "No route leads from this address to a service."`,
  ];
}

const GLOBAL = 'global';
/** Asked for when a process has taken over from another. */
const STRUCTURE = 'BERTH_STRUCTURE';

const SETTINGS = [
  GLOBAL,
  '  log stdout format raw local0 notice',
  // Connections are then as many as files allow: about 20,000, where the container may have those.
  '  fd-hard-limit 40000',
  '  stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners',
  '  stats timeout 60s',
  '  hard-stop-after 1h',
  '  default-path config',
  '  ssl-default-bind-options ssl-min-ver TLSv1.2',
  '  tune.ssl.default-dh-param 2048',
  '',
  'defaults',
  '  mode http',
  '  log global',
  '  option dontlognull',
  '  option forwardfor',
  // A process that ends answers a connection's next request before it closes it: one that was on its way is not lost.
  '  option idle-close-on-response',
  '  timeout http-request 10s',
  '  timeout http-keep-alive 75s',
  '  timeout client 75s',
  '  timeout queue 10s',
  // A replica that is gone costs what it was doing, and no request that comes after.
  '  retries 3',
  '  option redispatch 1',
  '  retry-on conn-failure empty-response',
  '',
  'frontend health',
  `  bind :${HEALTH_PORT}`,
  '  http-request return status 200 content-type text/plain string "ok" if { path /healthz }',
  '  http-request return status 404',
];

function frontend(
  sorted: readonly RouteRow[],
  certificates: readonly ProxyCertificate[],
  challenges: ProxyInput['challenges'],
): string[] {
  const https = certificates.length > 0;
  return [
    'frontend web',
    `  bind :${HTTP_PORT}`,
    ...(https ? [`  bind :${HTTPS_PORT} ssl crt certificates/ strict-sni alpn h2,http/1.1`] : []),
    ...Object.entries(challenges)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([token, text]) =>
          `  http-request return status 200 content-type application/octet-stream string ${quoted(text)} if { path ${quoted(`/.well-known/acme-challenge/${token}`)} }`,
      ),
    '  http-request set-var(txn.host) req.hdr(host),field(1,:),lower',
    '  http-request set-header X-Forwarded-Proto https if { ssl_fc }',
    '  http-request set-header X-Forwarded-Proto http unless { ssl_fc }',
    '  http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    ...sorted.flatMap((row) => {
      const host = hostCondition(row.route.host);
      const use = `  use_backend ${backendName(row)} if`;
      if (row.route.path === '/') return [`${use} ${host === '' ? 'TRUE' : host}`];
      const both = (path: string) => [host, path].filter((part) => part !== '').join(' ');
      return [
        `${use} ${both(`{ path ${quoted(row.route.path)} }`)}`,
        `${use} ${both(`{ path_beg ${quoted(`${row.route.path}/`)} }`)}`,
      ];
    }),
    '  default_backend no_route',
  ];
}

function hostCondition(host: string): string {
  if (host === '*') return '';
  if (!host.startsWith('*.')) return `{ var(txn.host) -m str ${quoted(host)} }`;
  return `{ var(txn.host) -m reg ${quoted(`^[^.]+${host.slice(1).replaceAll('.', '\\.')}$`)} }`;
}

/** Asked, and seen from what fails: a server that refuses connections is out at once. */
const CHECKS =
  'check inter 2s fastinter 500ms downinter 1s fall 2 rise 1 observe layer4 error-limit 3 on-error mark-down';

function backend(
  row: RouteRow,
  slots: Slots,
  certificates: readonly ProxyCertificate[],
  addressOf: (slots: Slots, index: number) => string,
): string[] {
  const { route, health } = row;
  const { timeouts, limits, sticky } = route;
  const atOnce = limits.connections === undefined ? '' : ` maxconn ${limits.connections}`;
  return [
    `backend ${backendName(row)}`,
    `  # ${route.host}${route.path} to ${row.key.environment}.${row.key.application}.${row.key.service}`,
    '  balance roundrobin',
    `  timeout connect ${milliseconds(timeouts.connect)}`,
    `  timeout server ${milliseconds(timeouts.request)}`,
    `  timeout tunnel ${milliseconds(timeouts.idle)}`,
    ...(health.path === undefined
      ? []
      : [
          '  option httpchk',
          `  http-check send meth GET uri ${quoted(health.path)}`,
          '  http-check expect rstatus ^[23]',
        ]),
    // What may have been done already is not done again.
    '  http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
    ...tlsRules(route, certificates),
    ...limitRules(limits),
    ...(route.stripPrefix
      ? [`  http-request replace-path ${quoted(`^${escaped(route.path)}/?(.*)$`)} ${quoted('/\\1')}`]
      : []),
    ...(sticky === undefined
      ? []
      : [
          `  cookie ${sticky.cookie} insert indirect nocache httponly dynamic${route.tls === 'off' ? '' : ' secure'}`,
          `  dynamic-cookie-key ${backendName(row)}`,
        ]),
    `  default-server ${CHECKS}${atOnce}`,
    ...slots.map((_, index) => `  server s${index} ${addressOf(slots, index)}`),
  ];
}

/** Until its certificate is there, a route with TLS says so instead of answering in the clear. */
function tlsRules(route: RouteSpec, certificates: readonly ProxyCertificate[]): string[] {
  if (route.tls === 'off' || !redirects(route)) return [];
  if (certificates.some(({ hosts }) => hosts.some((host) => covers(host, route.host))))
    return ['  http-request redirect scheme https code 308 unless { ssl_fc }'];
  return [
    '  http-request return status 503 content-type text/plain hdr Retry-After 30 string "There is no certificate for this host yet: berth routes tells why." unless { ssl_fc }',
  ];
}

/** Whether a name of a certificate is good for a host, or for all that a wildcard means. RFC 6125, 6.4.3. */
export function covers(name: string, host: string): boolean {
  if (name === host) return true;
  if (!name.startsWith('*.')) return false;
  const [first = '', ...rest] = host.split('.');
  return first !== '*' && first !== '' && `*.${rest.join('.')}` === name;
}

function limitRules({ body, requestsPerSecond }: RouteSpec['limits']): string[] {
  return [
    ...(body === undefined
      ? []
      : [
          '  http-request return status 411 content-type text/plain string "The length of the body must be told." if { method POST PUT PATCH } !{ req.hdr(content-length) -m found }',
          `  http-request deny deny_status 413 if { req.hdr_val(content-length) gt ${body * 1024} }`,
        ]),
    ...(requestsPerSecond === undefined
      ? []
      : [
          '  stick-table type ipv6 size 100k expire 10s store http_req_rate(1s)',
          '  http-request track-sc0 src',
          `  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${requestsPerSecond} }`,
        ]),
  ];
}

/** Longest line that the proxy's socket takes, with room to spare. */
const LONGEST = 8_000;

function commandsOf({ routes, servers }: ProxyInput): string[] {
  const commands = [...routes].sort(bySpecificity).flatMap((row) => {
    const name = backendName(row);
    return (servers[name] ?? []).flatMap((server, index) =>
      isIn(server)
        ? [
            `set server ${name}/s${index} addr ${server.address} port ${server.port}`,
            `set server ${name}/s${index} state ready`,
          ]
        : [`set server ${name}/s${index} state maint`],
    );
  });
  const lines: string[] = [];
  for (const command of commands) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + command.length < LONGEST)
      lines[lines.length - 1] = `${line};${command}`;
    else lines.push(command);
  }
  return lines;
}

/** Exact hosts before wildcards before any, and of one host the longest path first. */
function bySpecificity(a: RouteRow, b: RouteRow): number {
  const rank = ({ route: { host } }: RouteRow) => (host === '*' ? 2 : host.startsWith('*') ? 1 : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a.route.host !== b.route.host) return a.route.host < b.route.host ? -1 : 1;
  if (a.route.path.length !== b.route.path.length) return b.route.path.length - a.route.path.length;
  return a.route.path < b.route.path ? -1 : 1;
}

const milliseconds = (seconds: number): string => `${Math.round(seconds * 1000)}ms`;
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Inside single quotes nothing means anything but the quote. https://docs.haproxy.org/2.6/configuration.html#2.2 */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** 53 bits, by cyrb53: names a text, protects nothing. https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js */
function hashOf(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    high = Math.imul(high ^ character, 2_654_435_761);
    low = Math.imul(low ^ character, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(16);
}
