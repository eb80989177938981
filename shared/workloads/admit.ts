import { NOTHING_ALLOWED } from '../model/allowances.ts';
import type { ApplicationSpec, SidecarSpec } from '../model/application.ts';
import { parseImageReference } from '../model/image.ts';
import { Invalid, type Issue } from '../model/invalid.ts';
import type { EnvironmentName } from '../model/names.ts';
import { containersOf, forbidden } from './admission.ts';
import { admitPlacement } from './admit-placement.ts';
import type { Answering } from './answer.ts';
import { keepContents } from './config-contents.ts';
import { findSecret } from './service-secrets.ts';
import { placeOf } from './stores.ts';

/**
 * An application as it may be deployed, before anything of it is: its configs kept, its sidecars' images by digest.
 * @param coming secrets that will be there by then
 * @throws Invalid `not-allowed`, `placement-impossible`, `secret-missing`, `image-not-found`, `image-refused`, `config-invalid`
 */
export async function admit(
  answering: Answering,
  environment: EnvironmentName,
  given: ApplicationSpec,
  coming: ReadonlySet<string> = new Set(),
): Promise<ApplicationSpec> {
  const { stores } = answering;
  const allowances =
    (await stores.allowances.get(...placeOf.allowances(environment)))?.value ?? NOTHING_ALLOWED;
  refuse(forbidden(given, allowances), {
    code: 'not-allowed',
    remedy: `An administrator may allow it: berth allowances set --environment ${environment} (docs/containers.md).`,
  });
  await admitPlacement(stores, environment, given);
  const spec = await keepContents(stores.configs, given);
  await refuseMissingSecrets(answering, environment, spec, coming);
  return await withSidecarImages(answering, environment, spec);
}

async function refuseMissingSecrets(
  { stores }: Answering,
  environment: EnvironmentName,
  spec: ApplicationSpec,
  coming: ReadonlySet<string>,
): Promise<void> {
  const issues: Issue[] = [];
  const missing = new Set<string>();
  for (const [path, { secrets = [] }] of containersOf(spec))
    for (const [index, use] of secrets.entries()) {
      const name = use.name ?? use.secret;
      if (coming.has(name)) continue;
      if ((await findSecret(stores.tables, environment, spec.name, name)) !== undefined) continue;
      missing.add(name);
      issues.push({
        path: `${path}.secrets.${index}`,
        message: `there is no secret ${name} in environment ${environment}`,
      });
    }
  const commands = [...missing].map((name) => `berth secrets set ${name} --environment ${environment}`);
  refuse(issues, { code: 'secret-missing', remedy: `Set it first: ${commands.join(' && ')}` });
}

/** Sidecars go with the revision of their service: what their images are is decided when it is deployed. */
async function withSidecarImages(
  answering: Answering,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<ApplicationSpec> {
  const missing: Issue[] = [];
  const untrusted: Issue[] = [];
  const pinned = async (path: string, sidecar: SidecarSpec): Promise<SidecarSpec> => {
    const reference = parseImageReference(sidecar.image);
    const digest = await answering.images.resolve(reference);
    if (digest === undefined) {
      missing.push({ path: `${path}.image`, message: `the registry has no ${sidecar.image}` });
      return sidecar;
    }
    const verdict = await answering.trust.judge(reference.repository, digest, environment);
    if (verdict.verdict === 'refused')
      untrusted.push({ path: `${path}.image`, message: verdict.reasons.join(' ') });
    return { ...sidecar, digest };
  };
  const services: Record<string, ApplicationSpec['services'][keyof ApplicationSpec['services']]> = {};
  for (const [name, service] of Object.entries(spec.services)) {
    const sidecars: Record<string, SidecarSpec> = {};
    for (const [sidecar, one] of Object.entries(service.sidecars ?? {}))
      sidecars[sidecar] = await pinned(`services.${name}.sidecars.${sidecar}`, one);
    services[name] = service.sidecars === undefined ? service : { ...service, sidecars };
  }
  refuse(missing, { code: 'image-not-found', remedy: 'Push the images of sidecars before what uses them.' });
  refuse(untrusted, {
    code: 'image-refused',
    remedy: 'Sign the image as the policy of its repository asks.',
  });
  return { ...spec, services };
}

function refuse(issues: readonly Issue[], fault: { code: string; remedy: string }): void {
  if (issues.length === 0) return;
  throw new Invalid({
    ...fault,
    message: issues.map(({ path, message }) => `${path}: ${message}`).join('\n'),
    remedy: `Nothing was changed. ${fault.remedy}`,
    issues,
  });
}
