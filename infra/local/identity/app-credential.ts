import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';
import type { DataCentre } from '../data-centre.ts';

const Token = z.object({ access_token: z.string(), expires_on: z.string() });

/**
 * The app's managed identity, for what acts in its place from another process: the supervisor as deployment, tests. Azure's own credential
 * takes the endpoint from the process's environment, once.
 */
export const appCredential = (dataCentre: DataCentre): TokenCredential => ({
  async getToken(scopes) {
    const scope = Array.isArray(scopes) ? (scopes[0] ?? '') : scopes;
    const query = new URLSearchParams({
      'api-version': '2019-08-01',
      resource: scope.replace(/\/\.default$/, ''),
      client_id: dataCentre.identity.clientId,
    });
    const response = await fetch(`http://127.0.0.1:${dataCentre.ports.identity}/msi/token?${query}`, {
      headers: { 'x-identity-header': dataCentre.identity.header },
    });
    const { access_token: token, expires_on: expires } = Token.parse(await response.json());
    return { token, expiresOnTimestamp: Number(expires) * 1000 };
  },
});
