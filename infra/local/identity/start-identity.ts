import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { authorityOf, type DataCentre, issuerOf, type Running } from '../data-centre.ts';
import { type AppIdentity, appServiceEndpoint } from './app-service-endpoint.ts';
import { authority } from './authority.ts';
import type { MetadataDirectory } from './metadata-directory.ts';
import { metadataService } from './metadata-service.ts';
import { type ScheduledEvents, scheduledEvents } from './scheduled-events.ts';
import { guarded, serve } from './serve.ts';
import { ensureSigningKey } from './signing-key.ts';
import { tokenIssuer } from './tokens.ts';
import { tokenVerifier, type Verifier } from './verifier.ts';

export interface IdentityOptions {
  readonly directory: MetadataDirectory;
  /** Where the signing key is kept. */
  readonly keysDirectory: string;
  /** PEM, for the authority; its names include the gateway. */
  readonly certificate: string;
  readonly key: string;
}

export interface Identity extends Running {
  readonly verifier: Verifier;
  readonly events: ScheduledEvents;
}

/** Starts the app's endpoint, the authority and the machines' metadata service on the data centre's ports. */
export async function startIdentity(
  dataCentre: DataCentre,
  { directory, keysDirectory, certificate, key }: IdentityOptions,
): Promise<Identity> {
  const signingKey = await ensureSigningKey(keysDirectory);
  const issuer = issuerOf(dataCentre);
  const issue = tokenIssuer(signingKey, issuer, dataCentre.tenant);
  const events = scheduledEvents();
  const { gateway, ports, tenant } = dataCentre;
  const listeners = {
    app: appServiceEndpoint(appIdentityOf(dataCentre), issue),
    authority: authority(authorityOf(dataCentre), tenant, issuer, signingKey),
    metadata: metadataService(directory, events, issue),
  };
  const running: Running[] = [];
  const close = async () => {
    events.close();
    await Promise.all(running.splice(0).map((server) => server.close()));
  };
  try {
    running.push(await serve(createServer(guarded(listeners.app)), ports.identity, '127.0.0.1'));
    running.push(
      await serve(
        createTlsServer({ cert: certificate, key }, guarded(listeners.authority)),
        ports.authority,
        gateway,
      ),
    );
    running.push(await serve(createServer(guarded(listeners.metadata)), ports.metadata, gateway));
  } catch (error) {
    await close();
    throw error;
  }
  return { verifier: tokenVerifier(signingKey, issuer), events, close };
}

/** ARM ids as Azure writes them into tokens: `resourcegroups` in lower case. */
function appIdentityOf({ identity, subscription, resourceGroup }: DataCentre): AppIdentity {
  const group = `/subscriptions/${subscription}/resourcegroups/${resourceGroup}/providers`;
  return {
    ...identity,
    identityId: `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/app`,
    resourceId: `${group}/Microsoft.Web/sites/app`,
  };
}
