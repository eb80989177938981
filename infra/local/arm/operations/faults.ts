import { z } from 'zod';
import { ArmError } from '../requests/arm-error.ts';
import type { Database } from '../resources/database.ts';

/** A failure that a user or test orders with POST /local/faults. */
export const FaultOrder = z
  .strictObject({
    /** The call it hits: vm.create, vm.delete, vm.start, nic.create, vnet.create, disk.delete, … */
    operation: z.string().regex(/^[a-zA-Z]+\.[a-zA-Z]+$/, 'expected kind.verb, for example vm.create'),
    /** Azure's code. Without one the call is only slow. */
    code: z.string().min(1).optional(),
    message: z.string().optional(),
    /** Only for this resource name. */
    name: z.string().optional(),
    when: z.enum(['at-once', 'in-operation', 'after-commit-reply-lost']),
    times: z.number().int().min(1).max(10_000).default(1),
    delayMs: z.number().int().min(0).max(3_600_000).default(0),
    /** HTTP status where `when` is at-once; follows from the code if absent. */
    status: z.number().int().min(400).max(599).optional(),
  })
  .refine((fault) => fault.when !== 'at-once' || fault.code !== undefined || fault.delayMs > 0, {
    error: 'expected a code or a delayMs',
  });
type FaultOrder = z.infer<typeof FaultOrder>;

export interface Fault extends FaultOrder {
  readonly message: string;
}

export interface Faults {
  order(fault: FaultOrder): void;
  /** The fault that hits this call, if one does; it is then used up once. */
  take(operation: string, name: string): Fault | undefined;
  list(): readonly (Fault & { readonly remaining: number })[];
  clear(): void;
}

export function faults(database: Database): Faults {
  const { sql } = database;
  const insert = sql.prepare('INSERT INTO faults (document, remaining) VALUES (?, ?)');
  const open = sql.prepare('SELECT id, document, remaining FROM faults WHERE remaining > 0 ORDER BY id');
  const use = sql.prepare('UPDATE faults SET remaining = remaining - 1 WHERE id = ?');
  const clear = sql.prepare('DELETE FROM faults');
  type Row = { readonly id: number; readonly document: string; readonly remaining: number };
  const all = () =>
    (open.all() as unknown as Row[]).map((row) => ({ row, fault: JSON.parse(row.document) as Fault }));
  return {
    order(fault) {
      const message = fault.message ?? `The operation failed as ordered: ${fault.code ?? 'delay'}.`;
      insert.run(JSON.stringify({ ...fault, message }), fault.times);
    },
    take(operation, name) {
      const hit = all().find(
        ({ fault }) =>
          fault.operation.toLowerCase() === operation.toLowerCase() &&
          (fault.name === undefined || fault.name.toLowerCase() === name.toLowerCase()),
      );
      if (hit === undefined) return undefined;
      use.run(hit.row.id);
      return hit.fault;
    },
    list: () => all().map(({ row, fault }) => ({ ...fault, remaining: row.remaining })),
    clear: () => void clear.run(),
  };
}

/** The answer that a fault which is met at once gives; undefined where it only delays. */
export function refusalOf(fault: Fault): ArmError | undefined {
  if (fault.code === undefined) return undefined;
  const status = fault.status ?? statusOf(fault.code);
  return new ArmError(status, fault.code, fault.message, status === 429 ? { 'Retry-After': '1' } : {});
}

/** HTTP status that goes with an error code of Azure, where the order gives none. */
function statusOf(code: string): number {
  if (
    [
      'OperationNotAllowed',
      'QuotaExceeded',
      'SkuNotAvailable',
      'PropertyChangeNotAllowed',
      'Conflict',
      'AllocationFailed',
      'ZonalAllocationFailed',
      'OverconstrainedAllocationRequest',
      'OverconstrainedZonalAllocationRequest',
    ].includes(code)
  )
    return 409;
  if (['TooManyRequests', 'RetryableError', 'AnotherOperationInProgress'].includes(code)) return 429;
  if (code === 'ServiceUnavailable') return 503;
  if (code.startsWith('Internal')) return 500;
  if (code === 'AuthorizationFailed') return 403;
  if (code.endsWith('NotFound')) return 404;
  return 400;
}
