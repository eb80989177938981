import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { calculateJwkThumbprint, flattenedVerify, importJWK, type JWK } from 'jose';
import { ecdsa, generateKeys } from '../../shared/certificates/keys.ts';

interface Order {
  readonly host: string;
  readonly token: string;
  readonly thumbprint: string;
  status: 'pending' | 'ready' | 'valid' | 'invalid';
  why?: string;
  certificate?: string;
}

/**
 * As much of RFC 8555 as one host by HTTP-01 needs, over http: signatures, nonces (of which some are refused) and the
 * challenge are really checked.
 */
export async function acmeServer(httpPort: number): Promise<{ directory: string; close(): void }> {
  const nonces = new Set<string>();
  const accounts = new Map<string, JWK>();
  const orders: Order[] = [];
  const root = await generateKeys();
  let posts = 0;
  const server = createServer(async (request, response) => {
    const base = `http://${request.headers.host}`;
    const nonce = randomBytes(16).toString('base64url');
    nonces.add(nonce);
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, {
        'content-type': status < 400 ? 'application/json' : 'application/problem+json',
        'replay-nonce': nonce,
        ...headers,
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const refuse = (type: string, detail: string): void =>
      answer(400, { type: `urn:ietf:params:acme:error:${type}`, detail });
    if (request.url === '/dir')
      return answer(200, {
        newNonce: `${base}/nonce`,
        newAccount: `${base}/account`,
        newOrder: `${base}/order`,
      });
    if (request.method !== 'POST') return answer(200, '');
    posts += 1;
    const signed = JSON.parse(await textOf(request)) as {
      protected: string;
      payload: string;
      signature: string;
    };
    const header = JSON.parse(Buffer.from(signed.protected, 'base64url').toString()) as {
      nonce: string;
      url: string;
      jwk?: JWK;
      kid?: string;
    };
    if (!nonces.delete(header.nonce) || posts % 5 === 0) return refuse('badNonce', 'the nonce is not known');
    if (header.url !== `${base}${request.url}`) return refuse('unauthorized', 'the url differs');
    const jwk = header.jwk ?? accounts.get(header.kid ?? '');
    if (jwk === undefined) return refuse('accountDoesNotExist', 'no such account');
    const verified = await flattenedVerify(signed, await importJWK(jwk, 'ES256')).catch(() => undefined);
    if (verified === undefined) return refuse('malformed', 'the signature is wrong');
    const text = new TextDecoder().decode(verified.payload);
    const body = text === '' ? undefined : JSON.parse(text);
    const thumbprint = await calculateJwkThumbprint(jwk);
    const [, kind = '', number = '0'] = (request.url ?? '').split('/');
    if (kind === 'account') {
      const kid = `${base}/account/${thumbprint}`;
      accounts.set(kid, jwk);
      return answer(201, { status: 'valid' }, { location: kid });
    }
    if (kind === 'order' && body !== undefined) {
      const host = String(body.identifiers[0].value);
      orders.push({ host, thumbprint, token: randomBytes(16).toString('base64url'), status: 'pending' });
    }
    const at = kind === 'order' && body !== undefined ? orders.length - 1 : Number(number);
    const order = orders[at];
    if (order === undefined) return refuse('malformed', 'no such order');
    const challenge = {
      type: 'http-01',
      url: `${base}/challenge/${at}`,
      token: order.token,
      ...(order.why === undefined ? {} : { error: { type: 'unauthorized', detail: order.why } }),
    };
    if (kind === 'challenge') await look(order, httpPort);
    if (kind === 'challenge') return answer(200, challenge);
    const proven = order.status === 'pending' || order.status === 'invalid' ? order.status : 'valid';
    if (kind === 'authorization') return answer(200, { status: proven, challenges: [challenge] });
    if (kind === 'certificate')
      return answer(200, order.certificate ?? '', { 'content-type': 'application/pem-certificate-chain' });
    if (kind === 'finalize') {
      order.certificate = await certify(String(body.csr), order.host, root);
      order.status = 'valid';
    }
    answer(
      kind === 'order' && body !== undefined ? 201 : 200,
      {
        status: order.status,
        authorizations: [`${base}/authorization/${at}`],
        finalize: `${base}/finalize/${at}`,
        ...(order.certificate === undefined ? {} : { certificate: `${base}/certificate/${at}` }),
      },
      { location: `${base}/order/${at}` },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { directory: `http://127.0.0.1:${port}/dir`, close: () => void server.close() };
}

/** RFC 8555, 8.3. */
async function look(order: Order, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/.well-known/acme-challenge/${order.token}`;
  const found = await fetch(url, { headers: { host: order.host } }).then(
    (response) => response.text(),
    String,
  );
  const isRight = found === `${order.token}.${order.thumbprint}`;
  order.status = isRight ? 'ready' : 'invalid';
  if (!isRight) order.why = `${order.host}: the answer to the challenge is not the one that was expected`;
}

async function certify(
  csr: string,
  host: string,
  root: Awaited<ReturnType<typeof generateKeys>>,
): Promise<string> {
  const request = new Pkcs10CertificateRequest(Buffer.from(csr, 'base64url'));
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${host}`,
    issuer: 'CN=test authority',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 90 * 86_400_000),
    signingKey: root.privateKey,
    publicKey: request.publicKey,
    signingAlgorithm: ecdsa,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  return certificate.toString('pem');
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
