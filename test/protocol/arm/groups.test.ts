import { ResourceManagementClient } from '@azure/arm-resources';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credential, GROUP, SUBSCRIPTION, startTestArm, type TestArm } from '../../support/arm.ts';
import { makeVm } from './resources.ts';

describe('ARM: resource groups, through @azure/arm-resources', () => {
  let arm: TestArm;
  let client: ResourceManagementClient;
  beforeAll(async () => {
    arm = await startTestArm();
    client = new ResourceManagementClient(credential, SUBSCRIPTION, { endpoint: arm.endpoint });
  });
  afterAll(() => arm?.close());
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };

  it('makes, finds, tags, lists and deletes them', async () => {
    expect(
      await client.resourceGroups.createOrUpdate('other', { location: 'westeurope', tags: { a: 'b' } }),
    ).toMatchObject({ name: 'other', tags: { a: 'b' }, properties: { provisioningState: 'Succeeded' } });
    await client.resourceGroups.update('other', { tags: { c: 'd' } });
    expect((await client.resourceGroups.get('OTHER')).tags).toEqual({ c: 'd' });
    expect((await all(client.resourceGroups.list())).map(({ name }) => name)).toEqual([GROUP, 'other']);
    await client.resourceGroups.delete('other');
    await expect(client.resourceGroups.get('other')).rejects.toMatchObject({
      statusCode: 404,
      code: 'ResourceGroupNotFound',
    });
  });

  it('lists what a group holds, all or by tag', async () => {
    await makeVm(arm, 'vm', { top: { tags: { mine: 'yes' } } });
    expect(await all(client.resources.listByResourceGroup(GROUP))).toHaveLength(4);
    const tagged = await all(client.resources.listByResourceGroup(GROUP, { filter: "tagName eq 'mine'" }));
    expect(tagged.map(({ type }) => type)).toEqual([
      'Microsoft.Compute/virtualMachines',
      'Microsoft.Compute/disks',
    ]);
  });

  it('refuses names that Azure refuses', async () => {
    for (const name of ['ends.', 'sp ace', 'x'.repeat(91), 'ü'])
      await expect(
        client.resourceGroups.createOrUpdate(name, { location: 'westeurope' }),
      ).rejects.toMatchObject({ statusCode: 400 });
  });
});
