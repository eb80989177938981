import { statSync } from 'node:fs';
import { listMachines } from '../../shared/api/routes/machines.ts';
import { getStatus, type Status } from '../../shared/api/routes/status.ts';
import { version } from '../../shared/api/version.ts';
import { type Client, makeClient } from '../client.ts';
import { type Connection, findConnection } from '../connection.ts';
import { Failure } from '../failure.ts';
import type { Finding } from './finding.ts';
import { serverCertificate } from './server-certificate.ts';

const ok = (subject: string, detail: string): Finding => ({ verdict: 'ok', subject, detail });
const amiss = (verdict: 'warning' | 'fault', subject: string, detail: string, remedy?: string): Finding => ({
  verdict,
  subject,
  detail,
  ...(remedy === undefined ? {} : { remedy }),
});
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
const faultOf = (subject: string, error: unknown): Finding =>
  amiss('fault', subject, messageOf(error), error instanceof Failure ? error.remedy : undefined);

/** Every check in turn; what later ones need and earlier ones found amiss ends the list. */
export async function examine(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<Finding[]> {
  const findings: Finding[] = [nodeVersion()];
  let connection: Connection;
  try {
    connection = findConnection(environment, directory);
  } catch (error) {
    return [...findings, faultOf('connection', error)];
  }
  findings.push(
    ok('connection', `${connection.url.origin}, from ${connection.origin}`),
    ...permissionsOf(connection),
  );
  try {
    findings.push(await certificate(connection));
  } catch (error) {
    return [
      ...findings,
      amiss(
        'fault',
        'address',
        `${connection.url.origin} does not answer: ${messageOf(error)}`,
        'Start Berth: npm start',
      ),
    ];
  }
  const client = makeClient(connection);
  try {
    const begin = Date.now();
    const status = await client.call(getStatus);
    findings.push(...statusFindings(status, begin), ...(await machineFindings(client)));
  } catch (error) {
    findings.push(faultOf('API', error));
  } finally {
    client.close();
  }
  return findings;
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 20
    ? ok('Node.js', process.versions.node)
    : amiss('fault', 'Node.js', `${process.versions.node} is too old`, 'Install Node.js 20 or newer.');
}

function permissionsOf({ origin }: Connection): Finding[] {
  if (origin === 'BERTH_URL' || process.platform === 'win32') return [];
  const mode = statSync(origin).mode & 0o777;
  return (mode & 0o077) === 0
    ? [ok('key file', 'only its owner can read it')]
    : [
        amiss(
          'warning',
          'key file',
          `others can read ${origin} (mode ${mode.toString(8)})`,
          `chmod 600 ${origin}`,
        ),
      ];
}

async function certificate(connection: Connection): Promise<Finding> {
  const { validTo, distrust } = await serverCertificate(connection);
  const days = Math.floor((validTo.getTime() - Date.now()) / 86_400_000);
  if (distrust !== undefined)
    return amiss(
      'fault',
      'certificate',
      `not trusted: ${distrust}`,
      'Name the file of its authority in BERTH_CA.',
    );
  return days < 14
    ? amiss(
        'warning',
        'certificate',
        `ends in ${days} days`,
        'Renew it; npm start renews its own at every start.',
      )
    : ok('certificate', `trusted, ${days} days to go`);
}

function statusFindings(status: Status, begin: number): Finding[] {
  const now = (begin + Date.now()) / 2;
  const skew = Math.round((Date.parse(status.time) - now) / 1000);
  const failed = status.services.rollouts.failed ?? 0;
  const healthy = status.replicas.byState.healthy ?? 0;
  return [
    ok('key', `${status.caller.id} with ${status.caller.roles.join(', ')}`),
    status.version === version
      ? ok('version', version)
      : amiss(
          'warning',
          'version',
          `this command is ${version}, the server ${status.version}`,
          'Use the same of both.',
        ),
    Math.abs(skew) <= 5
      ? ok('clock', "same as the server's")
      : amiss(
          'warning',
          'clock',
          `${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} the server's`,
          "Set this computer's clock (timedatectl set-ntp true).",
        ),
    failed === 0
      ? ok('rollouts', `${status.services.total} services, none failed`)
      : amiss(
          'fault',
          'rollouts',
          `${failed} of ${status.services.total} services failed to roll out`,
          'berth status shows which.',
        ),
    healthy >= status.replicas.wanted
      ? ok('replicas', `${healthy} healthy, ${status.replicas.wanted} wanted`)
      : amiss(
          'warning',
          'replicas',
          `${healthy} healthy, ${status.replicas.wanted} wanted`,
          'berth ps shows the others.',
        ),
  ];
}

async function machineFindings(client: Client): Promise<Finding[]> {
  const { machines } = await client.call(listMachines);
  if (machines.length === 0) return [ok('machines', 'none; the first container brings one')];
  return machines.map(({ name, status }) => {
    if (status.state === 'failed')
      return amiss('fault', `machine ${name}`, `${status.code}: ${status.reason}`);
    return status.state === 'silent'
      ? amiss(
          'fault',
          `machine ${name}`,
          `not heard of since ${status.since}`,
          'Berth replaces it by itself; berth machines list shows how far it is.',
        )
      : ok(`machine ${name}`, status.state);
  });
}
