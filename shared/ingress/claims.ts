import type { ApplicationSpec } from '../model/application.ts';
import { Invalid } from '../model/invalid.ts';
import type { EnvironmentName, ServiceName } from '../model/names.ts';
import { routeId } from '../model/route.ts';
import { type ServiceKey, serviceId } from '../model/service.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { tableKey } from '../state/key.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import { RouteRow } from './route-row.ts';

const TABLE = 'routes';
/** One partition: what an application claims and gives up changes in one transaction. */
const PARTITION = 'route';
const MOST_ATTEMPTS = 20;

interface Claimed {
  readonly row: string;
  readonly etag: string;
  readonly value: RouteRow;
}

/** What an application claims and gives up. Pure. */
interface ClaimChange {
  readonly writes: readonly Write[];
  /** Claims that a service of another application holds; `index`: which of the service's routes it is. */
  readonly taken: readonly {
    readonly wanted: RouteRow;
    readonly index: number;
    readonly holder: ServiceKey;
  }[];
}

/** Every route that exists, sorted by host and path. */
export async function allRoutes(tables: Tables): Promise<readonly RouteRow[]> {
  return (await read(tables)).map(({ value }) => value);
}

/** Routes that an application claims and others have: `wanted` stays unchanged. For a refusal before anything changes. */
export async function takenRoutes(
  tables: Tables,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<ClaimChange['taken']> {
  if (Object.values(spec.services).every(({ routes }) => routes === undefined)) return [];
  return claimChange(await read(tables), environment, spec, new Date(0).toISOString()).taken;
}

/**
 * Makes the routes of an application what its specification says, all or none.
 * @param at time of the deployment; RFC 3339
 * @returns whether anything changed
 * @throws Invalid 409 `route-taken`, naming both; then nothing changed
 */
export async function claimRoutes(
  tables: Tables,
  environment: EnvironmentName,
  spec: ApplicationSpec,
  at: string,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const { writes, taken } = claimChange(await read(tables), environment, spec, at);
    if (taken.length > 0) throw routesTaken(taken);
    if (writes.length === 0) return false;
    try {
      await tables.commit(TABLE, PARTITION, writes);
      return true;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

function claimChange(
  claimed: readonly Claimed[],
  environment: EnvironmentName,
  { name: application, services }: ApplicationSpec,
  at: string,
): ClaimChange {
  const held = new Map(claimed.map((claim) => [claim.row, claim]));
  const writes: Write[] = [];
  const taken: ClaimChange['taken'][number][] = [];
  const wantedRows = new Set<string>();
  for (const [service, { routes = [], health }] of Object.entries(services))
    for (const [index, route] of routes.entries()) {
      const key = { environment, application, service: service as ServiceName };
      const wanted: RouteRow = { key, route, health: { path: health.path }, at };
      const row = tableKey(routeId(route));
      const holder = held.get(row);
      wantedRows.add(row);
      if (holder === undefined) writes.push({ kind: 'insert', row, values: documentValues(wanted) });
      else if (!isOf(holder.value.key, environment, application))
        taken.push({ wanted, index, holder: holder.value.key });
      else if (!sameRow(holder.value, wanted))
        writes.push({ kind: 'replace', row, values: documentValues(wanted), etag: holder.etag });
    }
  for (const { row, etag, value } of claimed)
    if (isOf(value.key, environment, application) && !wantedRows.has(row))
      writes.push({ kind: 'delete', row, etag });
  return { writes, taken };
}

export function routesTaken(taken: ClaimChange['taken']): Invalid {
  const issues = taken.map(({ wanted, index, holder }) => ({
    path: `services.${wanted.key.service}.routes.${index}`,
    message: `the route ${routeId(wanted.route)}, which ${serviceId(wanted.key)} claims, is that of ${serviceId(holder)}`,
  }));
  return new Invalid({
    code: 'route-taken',
    status: 409,
    message: `${issues.map(({ message }) => message).join('; ')}.`,
    remedy:
      'Nothing was changed. One ingress serves all environments, so each host and path belongs to one service: give one of them another host or path, or remove the route from the other first.',
    issues,
  });
}

const isOf = (key: ServiceKey, environment: string, application: string): boolean =>
  key.environment === environment && key.application === application;

const sameRow = ({ at: _, ...a }: RouteRow, { at: __, ...b }: RouteRow): boolean =>
  JSON.stringify(RouteRow.omit({ at: true }).parse(a)) ===
  JSON.stringify(RouteRow.omit({ at: true }).parse(b));

async function read(tables: Tables): Promise<readonly Claimed[]> {
  const found: Claimed[] = [];
  for await (const { row, etag, values } of tables.list(TABLE, { partition: PARTITION }))
    found.push({ row, etag, value: documentOf(RouteRow, values) });
  return found;
}
