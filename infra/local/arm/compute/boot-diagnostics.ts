import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import type { Database } from '../resources/database.ts';
import { existing } from '../resources/lookup.ts';
import { typeOf } from '../resources/resource.ts';
import { propertiesOf } from './virtual-machine.ts';

/** Console logs, by an address that is signed and ends, as a SAS does. */
export function bootDiagnosticsRoutes(arm: Arm): readonly Route[] {
  const key = signingKey(arm.database);
  const sign = (vm: string, until: string): Buffer =>
    createHmac('sha256', key).update(`${vm}\n${until}`).digest();

  const retrieve = (request: ArmRequest): ArmReply => {
    const vm = existing(arm, request, 'vm');
    const { bootDiagnostics } = (propertiesOf(vm).diagnosticsProfile ?? {}) as {
      bootDiagnostics?: { enabled?: boolean };
    };
    if (bootDiagnostics?.enabled !== true)
      throw new ArmError(409, 'OperationNotAllowed', `Boot diagnostics are not enabled on VM '${vm.name}'.`);
    const minutes = Number(request.query.get('sasUriExpirationTimeInMinutes') ?? 120);
    const id = String(vm.properties.vmId);
    const until = String(arm.now().getTime() + minutes * 60_000);
    const signature = sign(id, until).toString('base64url');
    return {
      status: 200,
      body: { serialConsoleLogBlobUri: `${request.base}/local/console/${id}?se=${until}&sig=${signature}` },
    };
  };

  const console = async (request: ArmRequest): Promise<ArmReply> => {
    const id = parameter(request, 'vm');
    const until = request.query.get('se') ?? '';
    const given = Buffer.from(request.query.get('sig') ?? '', 'base64url');
    const expected = sign(id, until);
    const valid = given.length === expected.length && timingSafeEqual(given, expected);
    if (!valid || Number(until) < arm.now().getTime())
      throw new ArmError(
        403,
        'AuthenticationFailed',
        'Server failed to authenticate the request: the signature is wrong or has ended.',
      );
    const vm = arm.resources.list('vm').find((candidate) => candidate.properties.vmId === id);
    if (vm === undefined || (await arm.runtime.state(vm.name)) === 'absent')
      throw new ArmError(404, 'BlobNotFound', 'The specified blob does not exist.');
    return {
      status: 200,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: await arm.runtime.console(vm.name),
    };
  };

  return [
    {
      method: 'POST',
      template: `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}/{name}/retrieveBootDiagnosticsData`,
      handle: retrieve,
    },
    { method: 'GET', template: '/local/console/{vm}', open: true, handle: console },
  ];
}

/** Made once, so that addresses outlive a restart. */
function signingKey(database: Database): Buffer {
  const { sql } = database;
  sql
    .prepare('INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)')
    .run('console', randomBytes(32).toString('base64'));
  const row = sql.prepare('SELECT value FROM secrets WHERE name = ?').get('console') as { value: string };
  return Buffer.from(row.value, 'base64');
}
