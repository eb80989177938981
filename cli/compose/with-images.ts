import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { imageKey } from '../../shared/compose/map/map-service.ts';

/** The application with the images that were found or made. @param images imageKey → `repository:tag` */
export const withImages = (
  application: MappedProject['application'],
  images: ReadonlyMap<string, string>,
): MappedProject['application'] => ({
  ...application,
  services: Object.fromEntries(
    Object.entries(application.services).map(([name, { image, ...fields }]) => [
      name,
      {
        image: images.get(name) ?? image,
        ...fields,
        ...stepWith(fields['before'], images.get(imageKey({ service: name, isStep: true }))),
      },
    ]),
  ),
});

const stepWith = (step: unknown, image: string | undefined): object =>
  image === undefined || typeof step !== 'object' ? {} : { before: { ...step, image } };
