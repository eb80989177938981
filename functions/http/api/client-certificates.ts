import { issueClientCertificate } from '../../../shared/api/routes/by-hand.ts';
import { signClientCertificate } from '../../../shared/certificates/client-certificate.ts';
import { endpoint } from '../endpoint.ts';

/** Short, since engines know of no revocation: the client asks for the next one before this ends. */
const LIFETIME_MINUTES = 24 * 60;

export const issue = endpoint(issueClientCertificate, async ({ body, principal, services }) => {
  const ca = await services.engineCa();
  const subject = principal?.id ?? '';
  const { certificate, serial, notAfter } = await signClientCertificate(
    ca,
    body,
    subject,
    LIFETIME_MINUTES,
    services.now(),
  );
  return { certificate, ca: ca.certificatePem, serial, notAfter: notAfter.toISOString(), subject };
});
