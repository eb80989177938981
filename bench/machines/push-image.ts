import type { RunningDataCentre } from '../../infra/local/supervisor/start-data-centre.ts';
import { testImage } from '../../test/support/oci-image.ts';

/** Pushes an image that is of no use to anybody: a machine is wanted before it is pulled. */
export async function pushImage({ dataCentre, keys }: RunningDataCentre, repository: string): Promise<void> {
  const base = `https://${dataCentre.gateway}:${dataCentre.ports.app}/v2`;
  const scope = encodeURIComponent(`repository:${repository}:pull,push`);
  const basic = Buffer.from(`admin:${keys.admin}`).toString('base64');
  const issued = await fetch(`${base}/token?service=berth&scope=${scope}`, {
    headers: { authorization: `Basic ${basic}` },
  });
  const { token } = (await issued.json()) as { token: string };
  const send = async (method: string, path: string, bytes: Uint8Array, type: string): Promise<void> => {
    const answer = await fetch(`${base}/${repository}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body: bytes as Uint8Array<ArrayBuffer>,
    });
    if (answer.status !== 201) throw new Error(`${path} was answered with ${await answer.text()}`);
  };
  const { blobs, manifest } = testImage([new Uint8Array(1024)]);
  for (const blob of blobs)
    await send('POST', `blobs/uploads/?digest=${blob.digest}`, blob.bytes, 'application/octet-stream');
  await send('PUT', 'manifests/latest', manifest.bytes, manifest.mediaType);
}
