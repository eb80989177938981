import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verifyGitHubWebhook } from '../../../shared/events/github-signature.ts';
import { hmacSha256 } from '../../../shared/events/hmac.ts';
import { verifyStandardWebhook } from '../../../shared/events/standard-webhooks.ts';

const vectors = new URL('../../../../shared/reference/webhooks/signatures/', import.meta.url);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const headersOf = (headers: Record<string, string>) => (name: string) =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? null;

const secret = `whsec_${btoa('a secret of twenty-four b')}`;
const sign = async (id: string, timestamp: string, body: string): Promise<string> => {
  const key = Uint8Array.from(atob(secret.slice(6)), (character) => character.charCodeAt(0));
  const mac = await hmacSha256(key, bytes(`${id}.${timestamp}.${body}`));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
};
const now = new Date('2026-01-01T00:00:00Z');
const timestamp = String(now.getTime() / 1000);

describe('standard webhooks', () => {
  it('admits what is signed, and gives its id', async () => {
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,AAAA ${await sign('msg_1', timestamp, '{}')}`,
    };
    expect(await verifyStandardWebhook(headersOf(headers), bytes('{}'), [secret], now)).toBe('msg_1');
  });

  it.each([
    ['another body', { body: '{"a":1}' }, 'signature-invalid'],
    ['another id', { id: 'msg_2' }, 'signature-invalid'],
    ['no signature', { signature: '' }, 'signature-invalid'],
    ['an old time', { timestamp: String(now.getTime() / 1000 - 301) }, 'signature-expired'],
    ['a time to come', { timestamp: String(now.getTime() / 1000 + 301) }, 'signature-expired'],
    ['a time that is no number', { timestamp: 'x' }, 'signature-expired'],
  ])('refuses %s', async (_name, change, code) => {
    const given = {
      id: 'msg_1',
      timestamp,
      body: '{}',
      signature: await sign('msg_1', timestamp, '{}'),
      ...change,
    };
    const headers = {
      'webhook-id': given.id,
      'webhook-timestamp': given.timestamp,
      'webhook-signature': given.signature,
    };
    await expect(
      verifyStandardWebhook(headersOf(headers), bytes(given.body), [secret], now),
    ).rejects.toMatchObject({
      code,
      status: 401,
    });
  });

  it('refuses what has no headers', async () => {
    await expect(verifyStandardWebhook(() => null, bytes('{}'), [secret], now)).rejects.toMatchObject({
      code: 'signature-missing',
    });
  });

  it.skipIf(!existsSync(vectors))('agrees with the published vectors', async () => {
    interface Vector {
      name: string;
      secret: string;
      headers: Record<string, string>;
      payload: string;
      valid: boolean;
    }
    const file = JSON.parse(readFileSync(new URL('standard-webhooks.json', vectors), 'utf8')) as {
      vectors: Vector[];
    };
    expect(file.vectors.length).toBeGreaterThan(5);
    for (const vector of file.vectors) {
      const at = new Date(Number(vector.headers['webhook-timestamp']) * 1000);
      const checked = verifyStandardWebhook(
        headersOf(vector.headers),
        bytes(vector.payload),
        [vector.secret],
        at,
      );
      if (vector.valid) await expect(checked, vector.name).resolves.toBe(vector.headers['webhook-id']);
      else await expect(checked, vector.name).rejects.toMatchObject({ status: 401 });
    }
  });
});

describe('GitHub', () => {
  const delivery = { 'X-GitHub-Delivery': 'd1' };
  const hex = async (body: string): Promise<string> =>
    Buffer.from(await hmacSha256(bytes('s'), bytes(body))).toString('hex');

  it('admits what is signed, and gives the delivery', async () => {
    const headers = { ...delivery, 'X-Hub-Signature-256': `sha256=${await hex('{}')}` };
    expect(await verifyGitHubWebhook(headersOf(headers), bytes('{}'), ['other', 's'])).toBe('d1');
    await expect(verifyGitHubWebhook(headersOf(headers), bytes('{} '), ['s'])).rejects.toMatchObject({
      code: 'signature-invalid',
    });
  });

  it('refuses a delivery without id or signature', async () => {
    await expect(verifyGitHubWebhook(headersOf(delivery), bytes('{}'), ['s'])).rejects.toMatchObject({
      code: 'signature-missing',
    });
    const unnamed = { 'X-Hub-Signature-256': `sha256=${await hex('{}')}` };
    await expect(verifyGitHubWebhook(headersOf(unnamed), bytes('{}'), ['s'])).rejects.toMatchObject({
      code: 'signature-missing',
    });
  });

  it.skipIf(!existsSync(vectors))('agrees with the published vector', async () => {
    const vector = JSON.parse(readFileSync(new URL('github.json', vectors), 'utf8')) as {
      secret: string;
      payload: string;
      headers: Record<string, string>;
    };
    const headers = { ...delivery, ...vector.headers };
    expect(await verifyGitHubWebhook(headersOf(headers), bytes(vector.payload), [vector.secret])).toBe('d1');
  });
});
