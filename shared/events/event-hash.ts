import type { CloudEvent } from '../model/cloud-event.ts';

/**
 * 40 hex digits of SHA-256 over `<source>\n<id>`: names an event in tables and in orchestration ids, where `/` is not
 * legal. CloudEvents 1.0, "id": source and id together tell one event from another.
 */
export async function eventHash(event: Pick<CloudEvent, 'source' | 'id'>): Promise<string> {
  const bytes = new TextEncoder().encode(`${event.source}\n${event.id}`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest.subarray(0, 20), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
