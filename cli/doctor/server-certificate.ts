import { connect, rootCertificates } from 'node:tls';
import type { Connection } from '../connection.ts';

/** What a server showed: who vouches for it and until when. */
export interface ServerCertificate {
  readonly validTo: Date;
  /** Why it is not trusted; undefined if it is. */
  readonly distrust: string | undefined;
}

/** @throws Error if no TLS connection comes about in 10 s */
export const serverCertificate = ({ url, ca }: Connection): Promise<ServerCertificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      /** An IP address is no name for the server to choose by: https://www.rfc-editor.org/rfc/rfc6066#section-3 */
      ...(/^[\d.]+$|:/.test(url.hostname) ? {} : { servername: url.hostname }),
      /** Looked at, not trusted: nothing is sent over this connection. */
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      timeout: 10_000,
    });
    socket.on('secureConnect', () => {
      const distrust = socket.authorized ? undefined : String(socket.authorizationError);
      resolve({ validTo: new Date(socket.getPeerCertificate().valid_to), distrust });
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('no connection in 10 s')));
    socket.on('error', reject);
  });
