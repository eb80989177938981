import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TokenAuthority {
  /** Address under which /.well-known/openid-configuration lies. */
  readonly url: string;
  /** A token with these claims; `issuer`, `audience` and `expires` of their own make it a false one. */
  issue(
    claims: Record<string, unknown>,
    more?: { issuer?: string; audience?: string; expires?: string },
  ): Promise<string>;
  close(): Promise<void>;
}

/** An OpenID Connect authority with one key, on this computer only. */
export async function startTokenAuthority(): Promise<TokenAuthority> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const issuer = 'https://sts.example.org/tenant/';
  const server = createServer((request, response) => {
    const configuration = { issuer, jwks_uri: `${url}/keys` };
    void (async () => {
      const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/keys' ? keys : configuration));
    })();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url,
    issue: (claims, more = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setIssuer(more.issuer ?? issuer)
        .setAudience(more.audience ?? 'https://management.azure.com/')
        .setIssuedAt()
        .setExpirationTime(more.expires ?? '1h')
        .sign(privateKey),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
