import { deleteSecret, listSecrets, putSecret, type SecretView } from '../../../shared/api/routes/secrets.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { MOST_SECRET, type SecretRecord } from '../../../shared/model/secret-record.ts';
import { secretUsers } from '../../../shared/workloads/secret-users.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

async function viewOf(
  { stores }: Pick<Services, 'stores'>,
  record: SecretRecord,
  records: readonly SecretRecord[],
): Promise<SecretView> {
  const { key, version, size, changedAt } = record;
  return { key, version, size, changedAt, usedBy: await secretUsers(stores, record, records) };
}

export const list = endpoint(listSecrets, async ({ params, services }) => {
  const records = await services.serviceSecrets.list(params.environment);
  return { secrets: await Promise.all(records.map((record) => viewOf(services, record, records))) };
});

export const put = endpoint(putSecret, async ({ params, query, body, services }) => {
  const value = bytesOf(body);
  const { environment, secret: name } = params;
  const key = { environment, name, ...query };
  const record = await services.serviceSecrets.set(key, value);
  return await viewOf(services, record, await services.serviceSecrets.list(environment));
});

/** What is wrong with a value is said without it. */
function bytesOf({ value, encoding }: { value: string; encoding: 'text' | 'base64' }): Uint8Array {
  const isBase64 = value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
  if (encoding === 'base64' && !isBase64)
    throw new Terminal({
      code: 'secret-invalid',
      message: 'The value is not base64, as its encoding says.',
      remedy: 'Send it as text, or as base64 with its padding.',
    });
  const bytes = Buffer.from(value, encoding === 'base64' ? 'base64' : 'utf8');
  if (bytes.length <= MOST_SECRET) return bytes;
  throw new Terminal({
    code: 'secret-invalid',
    message: `The value has ${bytes.length} bytes; expected at most ${MOST_SECRET}.`,
    remedy: 'Keep what is larger elsewhere, encrypted, and its key as the secret.',
  });
}

export const remove = endpoint(deleteSecret, async ({ params, query, services }) => {
  const { environment, secret: name } = params;
  const { application, force } = query;
  const records = await services.serviceSecrets.list(environment);
  const found = records.find(({ key }) => key.name === name && key.application === application);
  if (found === undefined)
    throw notFound(
      'secret',
      `${name} in environment ${environment}${application === undefined ? '' : ` of application ${application}`}`,
      `List them: berth secrets ls --environment ${environment}`,
    );
  const users = await secretUsers(services.stores, found, records);
  if (users.length > 0 && !force)
    throw new Terminal({
      code: 'secret-in-use',
      status: 409,
      message: `The secret ${name} is used by ${users.map((user) => `${user.kind} ${user.application}/${user.name}`).join(', ')}: without it none of their containers starts again.`,
      remedy: 'Deploy them without it first, or add --force.',
    });
  await services.serviceSecrets.remove(found.key);
  return null;
});
