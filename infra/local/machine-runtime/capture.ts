import { createHash } from 'node:crypto';
import { hasImage, repositoryAndTag } from './base-image.ts';
import type { EngineApi } from './engine-api.ts';

export const capturedImageName = (id: string, imageId: string): string =>
  `berth/captured-${id}:${createHash('sha256').update(imageId.toLowerCase()).digest('hex').slice(0, 24)}`;

export interface CaptureOptions {
  readonly api: EngineApi;
  readonly id: string;
  readonly container: string;
  readonly imageId: string;
}

/**
 * Makes an image of a stopped machine as its disk is: what must not be the same on two machines, it took away itself
 * before. What it has pulled and run (its /var/lib/docker) is not in it. An image of that id is left as it is.
 */
export async function captureMachine({ api, id, container, imageId }: CaptureOptions): Promise<void> {
  const name = capturedImageName(id, imageId);
  if (await hasImage(api, name)) return;
  const query = new URLSearchParams({ container, ...repositoryAndTag(name) });
  await api.send('POST', `/commit?${query}`, {});
}

export const removeCapturedImage = (api: EngineApi, id: string, imageId: string): Promise<void> =>
  api.send('DELETE', `/images/${capturedImageName(id, imageId)}?force=true`, undefined, [404]);
