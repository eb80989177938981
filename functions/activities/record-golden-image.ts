import { recordGoldenImage } from '../../shared/machines/golden/golden-activities.ts';
import { type GoldenImage, goldenImageName } from '../../shared/machines/golden/golden-image.ts';
import { activity } from './activity.ts';

export const recordGolden = activity(
  recordGoldenImage,
  async ({ profile, base, attempt, builder, owner }, made) => {
    const building = (failures: number): GoldenImage => ({
      profile,
      base,
      name: goldenImageName(profile, builder),
      attempt,
      failures,
      status: { state: 'building', since: made.now().toISOString(), builder, owner },
    });
    const recorded = await made.golden.change(profile, (current) => {
      if (current === undefined) return building(0);
      const isNext = current.status.state === 'failed' && current.attempt < attempt;
      return isNext ? building(current.failures) : undefined;
    });
    return recorded ?? building(0);
  },
);
