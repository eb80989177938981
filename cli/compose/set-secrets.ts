import { readFileSync } from 'node:fs';
import { listSecrets, putSecret } from '../../shared/api/routes/secrets.ts';
import type { SecretSource } from '../../shared/compose/map/resources-of-project.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';

export interface SecretValue {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The values of secrets that a compose file has in a file or a variable. @throws Failure `file-unreadable` */
export const readSecrets = (sources: readonly SecretSource[]): readonly SecretValue[] =>
  sources.map(({ name, file, value }) => ({
    name,
    bytes: file === undefined ? Buffer.from(value ?? '') : bytesOf(name, file),
  }));

/**
 * Seals secrets for this application alone. One that is known already stays as it is: its containers would otherwise have an
 * old value after each deployment.
 */
export async function setSecrets(
  { client, output, environment }: Session,
  application: string,
  values: readonly SecretValue[],
): Promise<void> {
  if (values.length === 0) return;
  const { secrets } = await client.call(listSecrets, { params: { environment } });
  for (const { name, bytes } of values) {
    if (secrets.some(({ key }) => key.name === name && (key.application ?? application) === application)) {
      output.say(
        `secret ${name}: is there already, and stays as it is (berth secrets set ${name} -a ${application} changes it)`,
      );
      continue;
    }
    await client.call(putSecret, {
      params: { environment, secret: name },
      query: { application },
      json: { value: bytes.toString('base64'), encoding: 'base64' },
    });
    output.say(`secret ${name}: set for ${application}`);
  }
}

function bytesOf(name: string, file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > 0) return bytes;
    throw new Error('it is empty');
  } catch (error) {
    throw new Failure({
      code: 'file-unreadable',
      message: `secrets.${name}.file: ${file}: ${error instanceof Error ? error.message : String(error)}`,
      remedy: `Write the value into it, or set it: berth secrets set ${name}`,
      exitCode: exitCodes.usage,
    });
  }
}
