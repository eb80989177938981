import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { hmacSha256 } from '../shared/events/hmac.ts';
import type { WarmMachine } from './warm-machine.ts';

/** A delivery that was accepted; times are milliseconds since 1970. */
export interface Delivery {
  readonly sent: number;
  readonly accepted: number;
  /** Of the event: its orchestration is `ev-<hash>`. */
  readonly hash: string;
}

const Made = z.object({ secret: z.string() });
const Answer = z.object({ status: z.literal('stored'), hash: z.string() });

/** Makes a hook that runs a job. @returns what sends it a signed delivery */
export async function runningHook(
  { running, call }: WarmMachine,
  name: string,
  job: { readonly application: string; readonly job: string },
): Promise<() => Promise<Delivery>> {
  const command = { type: 'run-job', ...job };
  const { secret } = await call(Made, 'PUT', `/api/v1/hooks/${name}`, {
    signature: 'standard-webhooks',
    command,
  });
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const { gateway, ports } = running.dataCentre;
  const url = `https://${gateway}:${ports.app}/api/hooks/${name}`;
  return async () => {
    const id = randomUUID();
    const timestamp = String(Math.floor(Date.now() / 1000));
    const mac = await hmacSha256(key, Buffer.from(`${id}.${timestamp}.{}`));
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${Buffer.from(mac).toString('base64')}`,
    };
    const sent = now();
    const response = await fetch(url, { method: 'POST', body: '{}', headers });
    const accepted = now();
    if (!response.ok) throw new Error(`the hook answered ${response.status}: ${await response.text()}`);
    return { sent, accepted, hash: Answer.parse(await response.json()).hash };
  };
}

/** Milliseconds since 1970 with a fraction. */
export const now = (): number => performance.timeOrigin + performance.now();
