import { generateKeyPairSync } from 'node:crypto';

/**
 * Azure makes no Linux VM without a password or an SSH key, and machines of Berth are reached through their engine
 * alone. So each process makes an Ed25519 key whose private half is forgotten at once: nobody can log in with it.
 * The VM's PUT says If-None-Match, so the key of another process never meets a VM that exists.
 */
export function throwAwayKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const type = 'ssh-ed25519';
  // RFC 8709, section 4: string "ssh-ed25519", string key.
  const blob = Buffer.concat([field(Buffer.from(type)), field(Buffer.from(x ?? '', 'base64url'))]);
  return `${type} ${blob.toString('base64')} nobody`;
}
