import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { signMachineCertificate } from '../../shared/certificates/machine-certificate.ts';
import { customDataSecret } from '../../shared/machines/by-hand/custom-data-secret.ts';
import { RegistrationRequest, type RegistrationResponse } from '../../shared/machines/observation.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** A machine asks for its engine's certificate: it proves with its identity token that it is the VM that was made. */
export async function register(request: HttpRequest, made: Services): Promise<HttpResponseInit> {
  const { name, address, publicAddress, hostname, hand } = await callingMachine(request, made);
  const { csr, hostKeys } = await readBody(request, { schema: RegistrationRequest });
  const ca = await made.engineCa();
  const issued = await signMachineCertificate(
    ca,
    csr,
    { name, address, publicAddress, hostname },
    made.now(),
  );
  const { serial, notAfter } = issued;
  await made.machines.change(name, ({ renewal: _, ...machine }) => ({
    ...machine,
    certificate: { serial, notAfter: notAfter.toISOString() },
    ...(hostKeys === undefined ? {} : { hostKeys }),
  }));
  // It has it; what it may hold is kept no longer than it is needed.
  if (hand?.customData === true) await made.secrets.remove(customDataSecret(name));
  const answer: RegistrationResponse = { certificate: issued.certificate, ca: ca.certificatePem };
  return { jsonBody: answer };
}

app.http('machine-registration', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/registration',
  authLevel: 'anonymous',
  handler: withProblems((request) => register(request, services())),
});
