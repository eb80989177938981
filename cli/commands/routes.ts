import { type Command, InvalidArgumentError } from 'commander';
import {
  deleteCertificate,
  type IngressView,
  listCertificates,
  listRoutes,
  putCertificate,
  putIngress,
  type RouteView,
} from '../../shared/api/routes/service-routes.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { readNamedText } from '../named-file.ts';
import { harmless, type Paint, table } from '../output.ts';
import { withSession } from '../session.ts';

function count(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 100)
    throw new InvalidArgumentError('Expected 1 to 100.');
  return Number(text);
}

/** Routes, the ingress that serves them, and certificates. */
export function addRoutes(program: Command): void {
  const routes = program.command('routes').description('host names and paths that lead to services');
  routes
    .command('ls', { isDefault: true })
    .alias('list')
    .description('routes of all environments, and the address that leads to them')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(listRoutes);
        output.data(
          found,
          () => `${ingressText(found.ingress, output.paint)}\n\n${routeTable(found.routes, output.paint)}`,
        );
      }),
    );
  routes
    .command('inspect')
    .description('a route with all that it says')
    .argument('<route>', 'host and path, as `berth routes` shows it')
    .action((id: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = (await client.call(listRoutes)).routes.find(
          (route) => route.id === id || route.id === `${id}/`,
        );
        if (found === undefined)
          throw new Failure({
            code: 'route-not-found',
            message: `There is no route ${id}.`,
            remedy: 'List them: berth routes',
            exitCode: exitCodes.notFound,
          });
        output.data(found, () => JSON.stringify(found, undefined, 2));
      }),
    );
  routes
    .command('ingress')
    .description('how many replicas the ingress has, and where')
    .option('--replicas <count>', '1 to 100, on different machines', count)
    .option('--every-machine', 'one on each machine of its pool')
    .option('--pool <name>', 'the pool on whose machines it runs')
    .action((options: { replicas?: number; everyMachine?: boolean; pool?: string }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const isChange = Object.keys(options).length > 0;
        const view = isChange
          ? await client.call(putIngress, { json: options })
          : (await client.call(listRoutes)).ingress;
        output.data(view, () => ingressText(view, output.paint));
      }),
    );
  addCertificates(routes);
}

function addCertificates(routes: Command): void {
  const certificates = routes.command('certificate').description('certificates of your own for routes');
  certificates
    .command('ls', { isDefault: true })
    .alias('list')
    .description('certificates, their names and how long they are good')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { certificates: found } = await client.call(listCertificates);
        output.data(found, () =>
          table(
            ['CERTIFICATE', 'HOSTS', 'UNTIL', 'ISSUER', 'ROUTES'],
            found.map(({ name, hosts, notAfter, issuer, routes: users }) => [
              name,
              hosts.join(', '),
              notAfter.slice(0, 10),
              harmless(issuer),
              users.join(', '),
            ]),
            'There is no certificate: berth routes certificate set NAME --certificate FILE --key FILE',
          ),
        );
      }),
    );
  certificates
    .command('set')
    .description('sets a certificate with its key, which is sealed')
    .argument('<name>')
    .requiredOption('--certificate <file>', 'PEM: the host’s own first, then those that signed it')
    .requiredOption('--key <file>', 'PEM, not encrypted')
    .action((name: string, files: { certificate: string; key: string }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const certificate = readNamedText(files.certificate, 'Name a PEM file.');
        const key = readNamedText(files.key, 'Name a PEM file.');
        const view = await client.call(putCertificate, {
          params: { certificate: name },
          json: { certificate, key },
        });
        output.data(
          view,
          () => `${view.name}: for ${view.hosts.join(', ')}, until ${view.notAfter.slice(0, 10)}`,
        );
      }),
    );
  certificates
    .command('rm')
    .alias('remove')
    .description('removes a certificate that no route uses')
    .argument('<name>')
    .action((name: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteCertificate, { params: { certificate: name } });
        output.data({ name }, () => `${name}: removed`);
      }),
    );
}

function ingressText(
  { address, replicas, proxy, next, failure, settings }: IngressView,
  paint: Paint,
): string {
  const where = settings.everyMachine ? 'one on each machine' : `${settings.replicas} replicas`;
  return [
    `address   ${address ?? '(none yet)'}`,
    `ingress   ${replicas.healthy} of ${replicas.wanted} healthy; ${where} in pool ${settings.pool}${proxy === undefined ? '' : `; ${proxy}`}`,
    `next      ${next.step === 'finish' ? next.reason : paint('yellow', `${next.step}: ${harmless(next.reason)}`)}`,
    ...(failure === undefined
      ? []
      : [`failed    ${paint('red', `${failure.code}: ${harmless(failure.reason)}`)}`]),
  ].join('\n');
}

const routeTable = (routes: readonly RouteView[], paint: Paint): string =>
  table(
    ['ROUTE', 'SERVICE', 'REPLICAS', 'TLS', 'CERTIFICATE'],
    routes.map(({ id, key, route, replicas, certificate }) => [
      id,
      `${key.environment}/${key.application}/${key.service}`,
      replicas === 0 ? paint('red', '0') : replicas,
      route.tls,
      certificateText(certificate, paint),
    ]),
    'No service has a route: write routes: into its berth.yaml (docs/routes.md).',
  );

function certificateText(certificate: RouteView['certificate'], paint: Paint): string | undefined {
  if (certificate === undefined) return undefined;
  const { state, notAfter, reason, nextAt } = certificate;
  const until = notAfter === undefined ? '' : ` until ${notAfter.slice(0, 10)}`;
  const why =
    reason === undefined ? '' : `: ${harmless(reason)}; again at ${nextAt?.slice(11, 16) ?? '?'} UTC`;
  return paint(
    state === 'valid' && reason === undefined ? 'green' : state === 'failed' ? 'red' : 'yellow',
    `${state}${until}${why}`,
  );
}
