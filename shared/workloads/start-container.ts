import type { ContainerRequest, Engine } from '../docker/engine.ts';
import { Terminal } from '../model/errors.ts';

/**
 * Creates and starts a container. One of the same name that was made from another image goes first.
 * @param needs `pull` is called if the engine does not have the image, `open` if it does not have the network: asking it
 * first would cost a call whenever it does
 */
export async function startContainer(
  engine: Engine,
  request: ContainerRequest,
  needs: { readonly pull?: () => Promise<void>; readonly open?: () => Promise<void> } = {},
): Promise<string> {
  const { pull, open } = needs;
  const { id } = await createContainer(engine, request).catch(async (error: unknown) => {
    if (pull === undefined || !(error instanceof Terminal) || error.code !== 'image-not-found') throw error;
    await pull();
    return await createContainer(engine, request);
  });
  try {
    await engine.start(id);
  } catch (error) {
    if (open === undefined || !(error instanceof Terminal) || error.code !== 'network-not-found') throw error;
    await open();
    await engine.start(id);
  }
  return id;
}

/** Names hold revision numbers, which storage that lost its last seconds may give a second time. */
async function createContainer(engine: Engine, request: ContainerRequest): Promise<{ readonly id: string }> {
  try {
    return await engine.create(request);
  } catch (error) {
    if (!(error instanceof Terminal) || error.code !== 'name-conflict') throw error;
    await removeByName(engine, request.name);
    return await engine.create(request);
  }
}

export async function removeByName(engine: Engine, name: string): Promise<void> {
  const found = await engine.inspect(name);
  if (found !== undefined) await engine.remove(found.id);
}
