import { type ImageVerification, verifyImage } from '../../../shared/api/routes/image-trust.ts';
import { findImage } from '../../../shared/registry/images/find-image.ts';
import { rulesIn } from '../../../shared/registry/trust/image-trust.ts';
import type { Finding } from '../../../shared/registry/trust/judge.ts';
import { signerText } from '../../../shared/registry/trust/signer-text.ts';
import { endpoint } from '../endpoint.ts';
import { referenceOf } from './image-reference.ts';
import { pullable } from './images.ts';

export const verify = endpoint(
  verifyImage,
  async ({ body, principal, services: { registry, policies, trust } }) => {
    const { repository, environment } = body;
    const { digest } = await findImage(registry.tables, referenceOf(body), pullable(principal));
    const rules = body.rules ?? rulesIn((await policies.of(repository)).trust, environment);
    const { verdict, findings, unread } = await trust.examine(repository, digest, rules);
    return {
      repository,
      digest,
      rules: rules.length,
      verdict: verdict.verdict,
      reasons: verdict.verdict === 'refused' ? [...verdict.reasons] : [],
      findings: findings.map(view),
      unread: [...unread],
    };
  },
);

const view = ({
  origin,
  kind,
  predicateType,
  fault,
  by,
}: Finding): ImageVerification['findings'][number] => ({
  form: origin.form,
  manifest: origin.manifest,
  ...(origin.tag === undefined ? {} : { tag: origin.tag }),
  ...(kind === undefined ? {} : { kind }),
  ...(predicateType === undefined ? {} : { predicateType }),
  ...(fault === undefined ? {} : { fault }),
  by: by.map(({ signer, why }) => ({ signer: signerText(signer), ...(why === undefined ? {} : { why }) })),
});
