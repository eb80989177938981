import { obtainCertificate as attempt } from '../../shared/ingress/certificates/obtain.ts';
import { dueCertificates, obtainCertificate } from '../../shared/ingress/ingress-activities.ts';
import { hostsDue } from '../hosts-due.ts';
import { activity } from './activity.ts';

export const dueCertificatesActivity = activity(dueCertificates, async (_input, made) => ({
  hosts: [...(await hostsDue(made))],
}));

export const obtainCertificateActivity = activity(obtainCertificate, async ({ host }, made) => {
  const { acme, certificates, secrets, settings, notice, now } = made;
  const result = await attempt(
    {
      acme,
      certificates,
      secrets,
      authority: settings.acme,
      push: () => notice.push(),
      fetch,
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      now,
    },
    host,
  );
  return { result };
});
