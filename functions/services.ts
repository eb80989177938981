import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { readSettings, type Settings } from '../shared/config/settings.ts';
import { azureTables } from '../shared/state/tables.azure.ts';
import type { Tables } from '../shared/state/tables.ts';

/** Everything that functions use, made once: the only place that picks implementations. */
export interface Services {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  readonly tables: Tables;
}

let made: Services | undefined;

/** The services of this process, made from its environment at the first call. */
export function services(): Services {
  made ??= makeServices(readSettings(process.env));
  return made;
}

function makeServices(settings: Settings): Services {
  const credential =
    settings.clientId === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId: settings.clientId });
  return { settings, credential, tables: azureTables(settings.tableUri, credential) };
}
