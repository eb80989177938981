import { AsyncLocalStorage } from 'node:async_hooks';
import { odata, RestError, TableClient, type TransactionAction } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import {
  Conflict,
  checkWrites,
  type Range,
  type Row,
  type Tables,
  type Value,
  type Values,
  type Write,
} from './tables.ts';

/** The most that the service answers at once. */
const PAGE = 1000;

/**
 * Tables of a storage account, reached with a managed identity.
 * https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
 * @param uri the table endpoint, for example `https://account.table.core.windows.net`
 */
export function azureTables(uri: string, credential: TokenCredential): Tables {
  const clients = new Map<string, TableClient>();
  const clientOf = (table: string): TableClient => {
    const client = clients.get(table) ?? new TableClient(uri, table, credential);
    if (!clients.has(table)) client.pipeline.addPolicy(conditionalDeletes);
    clients.set(table, client);
    return client;
  };

  return {
    async read(table, partition, row) {
      try {
        return toRow(await clientOf(table).getEntity(partition, row));
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404) return undefined;
        throw error;
      }
    },
    async *list(table, range) {
      const filter = filterOf(range);
      try {
        const entities = clientOf(table).listEntities(filter === '' ? {} : { queryOptions: { filter } });
        for await (const page of entities.byPage({ maxPageSize: range.page ?? PAGE }))
          for (const entity of page) yield toRow(entity);
      } catch (error) {
        if (!isMissingTable(error)) throw error;
      }
    },
    async commit(table, partition, writes) {
      checkWrites(writes);
      const client = clientOf(table);
      const where = `${table}/${partition}`;
      try {
        return await send(client, partition, writes);
      } catch (error) {
        if (!isMissingTable(error)) throw conflictOf(error, where) ?? error;
      }
      await client.createTable();
      try {
        return await send(client, partition, writes);
      } catch (error) {
        throw conflictOf(error, where) ?? error;
      }
    },
  };
}

/** A single write goes as a plain request, which costs less than a transaction of one. */
async function send(
  client: TableClient,
  partition: string,
  writes: readonly Write[],
): Promise<ReadonlyMap<string, string>> {
  const [first] = writes;
  if (writes.length === 1 && first !== undefined) return await sendOne(client, partition, first);
  const actions = writes.map((write) => actionOf(partition, write));
  const etags = writes.flatMap((write) => (write.kind === 'delete' ? [write.etag ?? '*'] : []));
  const answer = await etagsOfDeletes.run(etags, () => client.submitTransaction(actions));
  return new Map(
    writes.flatMap((write, index) => {
      const etag = answer.subResponses[index]?.etag;
      return write.kind === 'delete' || etag === undefined ? [] : [[write.row, etag] as const];
    }),
  );
}

type Policy = Parameters<TableClient['pipeline']['addPolicy']>[0];

/** ETags of the deletes of the transaction that is being sent, in their order. */
const etagsOfDeletes = new AsyncLocalStorage<readonly string[]>();

/**
 * Azure's library takes no ETag for a delete inside a transaction and writes `If-Match: *`, where the service takes any:
 * https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
 */
const conditionalDeletes: Policy = {
  name: 'conditional-deletes',
  sendRequest(request, next) {
    const etags = etagsOfDeletes.getStore();
    if (etags?.some((etag) => etag !== '*') && typeof request.body === 'string') {
      let deletes = 0;
      request.body = request.body.replace(
        /^(DELETE \S+ HTTP\/1\.1\r?\n(?:[^\r\n]+\r?\n)*?If-Match: ?)\*/gim,
        (_whole, before: string) => `${before}${etags[deletes++] ?? '*'}`,
      );
      if (deletes !== etags.length) throw new Error('the deletes of a transaction have no If-Match to set');
    }
    return next(request);
  },
};

async function sendOne(
  client: TableClient,
  partition: string,
  write: Write,
): Promise<ReadonlyMap<string, string>> {
  if (write.kind === 'delete') {
    await client.deleteEntity(partition, write.row, write.etag === undefined ? {} : { etag: write.etag });
    return new Map();
  }
  const entity = entityOf(partition, write.row, write.values);
  const answer =
    write.kind === 'insert'
      ? await client.createEntity(entity)
      : write.kind === 'replace'
        ? await client.updateEntity(entity, 'Replace', { etag: write.etag })
        : await client.upsertEntity(entity, 'Replace');
  return new Map(answer.etag === undefined ? [] : [[write.row, answer.etag]]);
}

function actionOf(partition: string, write: Write): TransactionAction {
  switch (write.kind) {
    case 'insert':
      return ['create', entityOf(partition, write.row, write.values)];
    case 'replace':
      return ['update', entityOf(partition, write.row, write.values), 'Replace', { etag: write.etag }];
    case 'upsert':
      return ['upsert', entityOf(partition, write.row, write.values), 'Replace'];
    case 'delete':
      return ['delete', { partitionKey: partition, rowKey: write.row }];
  }
}

type Entity = { partitionKey: string; rowKey: string; [name: string]: unknown };

/** Whole numbers beyond 32 bits and fractions are doubles: said, since the service would otherwise guess by the digits. */
function entityOf(partitionKey: string, rowKey: string, values: Values): Entity {
  const typed = Object.entries(values).map(([name, value]) =>
    typeof value === 'number' ? [name, { type: 'Double', value: String(value) }] : [name, value],
  );
  return { partitionKey, rowKey, ...Object.fromEntries(typed) };
}

function toRow(entity: Record<string, unknown>): Row {
  const { partitionKey, rowKey, etag, timestamp: _timestamp, ...rest } = entity;
  const values: Record<string, Value> = {};
  for (const [name, value] of Object.entries(rest))
    if (
      !name.startsWith('odata.') &&
      (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    )
      values[name] = value;
  return { partition: String(partitionKey), row: String(rowKey), etag: String(etag), values };
}

function filterOf({ partition, from, to }: Range): string {
  const parts: string[] = [];
  if (partition !== undefined) parts.push(odata`PartitionKey eq ${partition}`);
  if (from !== undefined) parts.push(odata`RowKey ge ${from}`);
  if (to !== undefined) parts.push(odata`RowKey lt ${to}`);
  return parts.join(' and ');
}

const codeOf = (error: RestError): string => {
  const details = error.details as { odataError?: { code?: string } } | undefined;
  return details?.odataError?.code ?? error.code ?? '';
};

const isMissingTable = (error: unknown): boolean =>
  error instanceof RestError && error.statusCode === 404 && codeOf(error) === 'TableNotFound';

/** https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes */
function conflictOf(error: unknown, where: string): Conflict | undefined {
  if (!(error instanceof RestError)) return undefined;
  if (codeOf(error) === 'EntityAlreadyExists' || error.statusCode === 409)
    return new Conflict('exists', where);
  if (error.statusCode === 412) return new Conflict('changed', where);
  if (error.statusCode === 404) return new Conflict('missing', where);
  return undefined;
}
