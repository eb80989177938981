import { callForImage } from '../../shared/machines/golden/golden-activities.ts';
import { activity } from './activity.ts';

export const callImage = activity(callForImage, async (asked, { machineImages }) => {
  switch (asked.call) {
    case 'deallocate':
      return await machineImages.deallocate(asked.vm);
    case 'generalize':
      return await machineImages.generalize(asked.vm);
    case 'capture':
      return await machineImages.capture(asked);
    case 'remove':
      return await machineImages.remove(asked.name);
  }
});
