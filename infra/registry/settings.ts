import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { hashKey, KeyHash, keyIdOf } from '../../shared/auth/api-key.ts';
import type { Rates } from '../../shared/auth/rate-limit/limits.ts';
import { RateSetting } from '../../shared/auth/rate-limit/rate-setting.ts';
import { Secret } from '../../shared/secrets/secret.ts';

/** An API key as Berth's are: nothing else is taken as one. */
const MADE = "berth_admin_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')";

const httpsUri = z.url({ protocol: /^https$/, error: 'expected an https address' });
const File = z.string().min(1);
const Port = z.coerce.number().int().min(0).max(65535);

/** Every setting, by its name in the environment, with an example for the message when it is missing. */
const Environment = z.object({
  REGISTRY_BLOB_URI: httpsUri.describe('https://account.blob.core.windows.net'),
  REGISTRY_TABLE_URI: httpsUri.describe('https://account.table.core.windows.net'),
  REGISTRY_CREDENTIAL: z
    .enum(['default', 'managed-identity'])
    .default('default')
    .describe('managed-identity, or default for what the environment, the Azure CLI or an identity gives'),
  /** Of a user-assigned identity. */
  AZURE_CLIENT_ID: z.uuid().optional().describe('00000000-0000-0000-0000-000000000000'),
  REGISTRY_MASTER_KEY: z.base64().length(44).describe('the output of: openssl rand -base64 32'),
  REGISTRY_MASTER_KEY_PREVIOUS: z.base64().length(44).optional().describe('32 bytes in base64'),
  REGISTRY_ADMIN_KEY_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
    .optional()
    .describe(`the output of: printf %s "$KEY" | sha256sum, of a KEY such as ${MADE}`),
  REGISTRY_ADMIN_KEY_FILE: File.optional().describe('/etc/berth/admin.key'),
  REGISTRY_EVENTS: z
    .enum(['drop', 'keep'])
    .default('drop')
    .describe('keep, where the app on the same account passes them on'),
  /** How often each principal, each address without a credential, and each address's wrong credentials are answered. */
  REGISTRY_RATE_PRINCIPAL: RateSetting.prefault('off').describe('500/5000, or off'),
  REGISTRY_RATE_ADDRESS: RateSetting.prefault('off').describe('100/1000, or off'),
  REGISTRY_RATE_FAILED_LOGINS: RateSetting.prefault('0.5/100').describe('0.5/100, or off'),
  REGISTRY_ADDRESS: z
    .union([z.ipv4(), z.ipv6()], 'expected an address of this computer')
    .default('127.0.0.1')
    .describe('127.0.0.1'),
  REGISTRY_PORT: Port.default(5000).describe('5000, or 0 for a free one'),
  REGISTRY_CERTIFICATE_FILE: File.optional().describe('/etc/berth/registry.crt'),
  REGISTRY_CERTIFICATE_KEY_FILE: File.optional().describe('/etc/berth/registry.key'),
  /** How clients reach the registry where a proxy stands before it, which is then believed about who they are. */
  REGISTRY_ORIGIN: z
    .url()
    .refine((text) => new URL(text).origin === text, 'expected scheme, host and port, no path')
    .optional()
    .describe('https://registry.example.com'),
});

export interface RegistrySettings {
  readonly blobUri: string;
  readonly tableUri: string;
  readonly credential: 'default' | 'managed-identity';
  readonly clientId: string | undefined;
  readonly masterKeys: { readonly current: Secret<string>; readonly previous: Secret<string> | undefined };
  /** sha-256 of the administrator's API key. */
  readonly adminKeyHash: KeyHash;
  /** What becomes of events: dropped when the request is done, or kept for the app on the same account. */
  readonly events: 'drop' | 'keep';
  readonly rates: Rates;
  readonly address: string;
  readonly port: number;
  /** PEM; plain HTTP without it. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly origin: string | undefined;
}

/**
 * The lone registry's settings.
 * @throws Error that names every setting which is missing or malformed, what was expected, and an example
 */
export function readSettings(environment: Record<string, string | undefined>): RegistrySettings {
  const parsed = Environment.safeParse(environment);
  const wrong = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => lineOf(issue, environment))),
    ...pairsIn(environment),
  ];
  if (wrong.length > 0 || !parsed.success) throw refusal(wrong);
  const env = parsed.data;
  const read = (
    name: 'REGISTRY_ADMIN_KEY_FILE' | 'REGISTRY_CERTIFICATE_FILE' | 'REGISTRY_CERTIFICATE_KEY_FILE',
  ) => {
    try {
      return readFileSync(env[name] ?? '', 'utf8');
    } catch (error) {
      throw refusal([`  ${name}: ${env[name]} cannot be read: ${(error as Error).message}`]);
    }
  };
  const adminKey = env.REGISTRY_ADMIN_KEY_SHA256 === undefined ? read('REGISTRY_ADMIN_KEY_FILE').trim() : '';
  if (env.REGISTRY_ADMIN_KEY_SHA256 === undefined && keyIdOf(adminKey) === undefined)
    throw refusal([
      `  REGISTRY_ADMIN_KEY_FILE: ${env.REGISTRY_ADMIN_KEY_FILE} holds no API key; expected berth_<name>_<43 letters, digits, - and _>, for example the output of: echo ${MADE}`,
    ]);
  const previous = env.REGISTRY_MASTER_KEY_PREVIOUS;
  return {
    blobUri: env.REGISTRY_BLOB_URI,
    tableUri: env.REGISTRY_TABLE_URI,
    credential: env.REGISTRY_CREDENTIAL,
    clientId: env.AZURE_CLIENT_ID,
    masterKeys: {
      current: new Secret(env.REGISTRY_MASTER_KEY),
      previous: previous === undefined ? undefined : new Secret(previous),
    },
    adminKeyHash: KeyHash.parse(env.REGISTRY_ADMIN_KEY_SHA256 ?? hashKey(adminKey)),
    events: env.REGISTRY_EVENTS,
    rates: {
      principal: env.REGISTRY_RATE_PRINCIPAL,
      address: env.REGISTRY_RATE_ADDRESS,
      failedLogins: env.REGISTRY_RATE_FAILED_LOGINS,
    },
    address: env.REGISTRY_ADDRESS,
    port: env.REGISTRY_PORT,
    tls:
      env.REGISTRY_CERTIFICATE_FILE === undefined
        ? undefined
        : { cert: read('REGISTRY_CERTIFICATE_FILE'), key: read('REGISTRY_CERTIFICATE_KEY_FILE') },
    origin: env.REGISTRY_ORIGIN,
  };
}

/** What is wrong with settings that go together. */
function pairsIn(environment: Record<string, string | undefined>): string[] {
  const isSet = (name: keyof typeof Environment.shape): boolean => environment[name] !== undefined;
  const wrong: string[] = [];
  if (isSet('REGISTRY_ADMIN_KEY_SHA256') === isSet('REGISTRY_ADMIN_KEY_FILE'))
    wrong.push(
      `  REGISTRY_ADMIN_KEY_SHA256, REGISTRY_ADMIN_KEY_FILE: expected one of them; the first is for example ${Environment.shape.REGISTRY_ADMIN_KEY_SHA256.description}`,
    );
  if (isSet('REGISTRY_CERTIFICATE_FILE') !== isSet('REGISTRY_CERTIFICATE_KEY_FILE'))
    wrong.push(
      '  REGISTRY_CERTIFICATE_FILE, REGISTRY_CERTIFICATE_KEY_FILE: expected both of them or neither',
    );
  return wrong;
}

function lineOf(issue: z.core.$ZodIssue, environment: Record<string, string | undefined>): string {
  const name = String(issue.path[0]) as keyof typeof Environment.shape;
  const what = environment[name] === undefined ? 'missing' : issue.message;
  return `  ${name}: ${what}, for example ${Environment.shape[name]?.description}`;
}

const refusal = (lines: readonly string[]): Error =>
  new Error(`Settings are missing or malformed:\n${lines.join('\n')}`);
