import { listImages } from '../../../shared/api/routes/images.ts';
import * as catalog from '../../../shared/registry/catalog.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(listImages, async ({ services: { tables, settings } }) => ({
  registry: settings.hostname,
  images: await catalog.listImages(tables),
}));
