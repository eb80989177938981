import { endGoldenImage } from '../../shared/machines/golden/golden-activities.ts';
import { activity } from './activity.ts';

export const endGolden = activity(endGoldenImage, async ({ profile, owner, built }, made) => {
  const now = made.now().toISOString();
  await made.golden.change(profile, (image) => {
    if (image?.status.state !== 'building' || image.status.owner !== owner) return undefined;
    if (built.status === 'ready')
      return {
        ...image,
        failures: 0,
        status: { state: 'ready', since: now, id: made.machineImages.idOf(image.name) },
      };
    const { code, reason } = built;
    return { ...image, failures: image.failures + 1, status: { state: 'failed', at: now, code, reason } };
  });
  return null;
});
