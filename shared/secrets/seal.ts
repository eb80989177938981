import { Terminal } from '../model/errors.ts';

/** A master key in use: `id` is the beginning of its hash and stands before what it sealed. */
export interface MasterKey {
  readonly id: Uint8Array;
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
}

const VERSION = 1;
const ID_BYTES = 4;
/** NIST SP 800-38D, 8.2.2: random, 96 bits. */
const NONCE_BYTES = 12;
const HEADER = 1 + ID_BYTES + NONCE_BYTES;

/** @param base64 32 bytes in base64 */
export async function masterKey(base64: string): Promise<MasterKey> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return { id: hash.slice(0, ID_BYTES), key };
}

/** version (1 byte), key id (4), nonce (12), AES-256-GCM ciphertext with its tag; the name is authenticated with it. */
export async function seal({ id, key }: MasterKey, name: string, value: Uint8Array): Promise<Uint8Array> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(parameters(nonce, name), key, bytesOf(value));
  const envelope = new Uint8Array(HEADER + sealed.byteLength);
  envelope.set([VERSION]);
  envelope.set(id, 1);
  envelope.set(nonce, 1 + ID_BYTES);
  envelope.set(new Uint8Array(sealed), HEADER);
  return envelope;
}

/**
 * @returns the value, and the key that opened it
 * @throws Terminal `secret-unreadable`: sealed by another key or under another name, or damaged
 */
export async function unseal(
  keys: readonly MasterKey[],
  name: string,
  envelope: Uint8Array,
): Promise<{ value: Uint8Array; key: MasterKey }> {
  const id = envelope.slice(1, 1 + ID_BYTES);
  const key = keys.find((candidate) => candidate.id.every((byte, index) => byte === id[index]));
  if (envelope[0] !== VERSION || key === undefined)
    throw unreadable(name, 'no master key in use has sealed it');
  try {
    const nonce = envelope.slice(1 + ID_BYTES, HEADER);
    const opened = await crypto.subtle.decrypt(
      parameters(nonce, name),
      key.key,
      bytesOf(envelope.slice(HEADER)),
    );
    return { value: new Uint8Array(opened), key };
  } catch (cause) {
    throw unreadable(name, 'it was changed, or stored under another name', cause);
  }
}

const parameters = (nonce: Uint8Array<ArrayBuffer>, name: string) => ({
  name: 'AES-GCM',
  iv: nonce,
  additionalData: new TextEncoder().encode(name),
});

/** WebCrypto's types want bytes that are not shared between threads. */
const bytesOf = (value: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(value);

const unreadable = (name: string, why: string, cause?: unknown) =>
  new Terminal({
    code: 'secret-unreadable',
    status: 422,
    message: `The secret ${name} cannot be opened: ${why}.`,
    remedy: 'Set BERTH_MASTER_KEY_PREVIOUS to the master key that was in use before.',
    cause,
  });
