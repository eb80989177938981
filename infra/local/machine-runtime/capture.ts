import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Retryable } from '../../../shared/model/errors.ts';
import { hasImage, repositoryAndTag } from './base-image.ts';
import type { EngineApi } from './engine-api.ts';
import { dataCentreLabel } from './machine-container.ts';

export const capturedImageName = (id: string, imageId: string): string =>
  `berth/captured-${id}:${createHash('sha256').update(imageId.toLowerCase()).digest('hex').slice(0, 24)}`;

/** What must not be the same on two machines: identity, keys, certificates, names. */
const generalise = `set -eu
cloud-init clean --logs
rm -rf /etc/docker/tls /etc/docker/key.json /etc/docker/daemon.json /etc/berth /var/lib/berth
rm -f /etc/ssh/ssh_host_*
apt-get clean
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
`;

export interface CaptureOptions {
  readonly api: EngineApi;
  readonly id: string;
  readonly container: string;
  readonly imageId: string;
  readonly capabilities: readonly string[];
}

/**
 * Makes an image of a stopped machine. What it has pulled and run (its /var/lib/docker) is not in it. An image of
 * that id is left as it is.
 */
export async function captureMachine(options: CaptureOptions): Promise<void> {
  const { api } = options;
  const name = capturedImageName(options.id, options.imageId);
  if (await hasImage(api, name)) return;
  const draft = `${name}-draft`;
  const cleaner = `berth-${options.id}-capture-${repositoryAndTag(name).tag}`;
  const labels = { [dataCentreLabel]: options.id };
  await api.send('DELETE', `/containers/${cleaner}?force=true`, undefined, [404]);
  await commit(api, options.container, draft);
  try {
    await api.send('POST', `/containers/create?name=${cleaner}`, {
      Image: draft,
      Entrypoint: ['/bin/sh', '-c', generalise],
      Cmd: [],
      Labels: labels,
      HostConfig: { NetworkMode: 'none' },
    });
    await api.send('POST', `/containers/${cleaner}/start`);
    const { StatusCode } = await api.json(
      z.object({ StatusCode: z.number() }),
      'POST',
      `/containers/${cleaner}/wait`,
    );
    if (StatusCode !== 0)
      throw new Retryable({
        code: 'capture-failed',
        message: `The machine’s image could not be generalised: the clean-up ended with ${StatusCode}`,
        remedy: 'See that cloud-init is installed in the machine.',
      });
    await commit(api, cleaner, name);
  } finally {
    await api.send('DELETE', `/containers/${cleaner}?force=true`, undefined, [404]);
    await api.send('DELETE', `/images/${draft}`, undefined, [404]);
  }
}

export const removeCapturedImage = (api: EngineApi, id: string, imageId: string): Promise<void> =>
  api.send('DELETE', `/images/${capturedImageName(id, imageId)}?force=true`, undefined, [404]);

const commit = (api: EngineApi, container: string, name: string): Promise<void> =>
  api.send('POST', `/commit?${new URLSearchParams({ container, ...repositoryAndTag(name) })}`, {});
