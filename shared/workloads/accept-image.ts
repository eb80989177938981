import type { ServiceSpec } from '../model/application.ts';
import { type Digest, parseImageReference } from '../model/image.ts';
import type { RefusedImage, Service } from '../model/service.ts';
import type { Answering, Cause } from './answer.ts';
import { isAccepted, type ServiceChange } from './change-service.ts';

/**
 * What becomes of a service whose image is in the registry: the image is accepted if the policies of its repository let
 * it, and otherwise refused with the reasons, while what runs goes on. What was accepted once is not asked about again.
 */
export async function acceptImage(
  { trust, now }: Answering,
  cause: Cause,
  service: Service,
  { spec, digest }: { readonly spec: ServiceSpec; readonly digest: Digest },
): Promise<ServiceChange | undefined> {
  const { refused: before, ...unrefused } = service;
  if (isAccepted(service, spec, digest)) return before === undefined ? undefined : { service: unrefused };
  const { repository } = parseImageReference(spec.image);
  const verdict = await trust.judge(repository, digest, service.key.environment);
  if (verdict.verdict === 'accepted') return { service: unrefused, accept: { spec, digest } };
  const { reasons, rules } = verdict;
  if (before !== undefined && isSame(before, { digest, reasons, rules })) return undefined;
  const refused = { digest, reasons: [...reasons], rules, cause: cause.text, at: now.toISOString() };
  return { service: { ...unrefused, refused } };
}

const isSame = (
  before: RefusedImage,
  { digest, reasons, rules }: { digest: Digest; reasons: readonly string[]; rules: string },
): boolean =>
  before.digest === digest && before.rules === rules && before.reasons.join('\n') === reasons.join('\n');
