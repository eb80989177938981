import { Terminal } from '../../../shared/model/errors.ts';
import type { AppSettings } from './host-json.ts';

/**
 * An identity-based connection: `<name>__<part>` in the app settings.
 * https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
 * @throws Terminal if it is not set
 */
export function connectionPart(
  settings: AppSettings,
  connection: string,
  part: string,
  example: string,
): string {
  const name = `${connection}__${part}`;
  const value = settings[name];
  if (value !== undefined && value !== '') return value;
  throw new Terminal({
    code: 'app-setting-missing',
    message: `The app setting ${name} is missing; this host takes identity-based connections only.`,
    remedy: `Set ${name}, for example ${example}.`,
  });
}
