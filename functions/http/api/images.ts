import { listImages } from '../../../shared/api/routes/images.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import * as catalog from '../../../shared/registry/catalog.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(listImages, async ({ principal, services: { tables, settings } }) => ({
  registry: settings.hostname,
  images: (await catalog.listImages(tables)).filter(({ repository }) => mayOn(principal, repository, 'pull')),
}));
