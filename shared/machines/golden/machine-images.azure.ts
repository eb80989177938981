import { found, refusal } from '../arm-answers.azure.ts';
import { CREATED_TAG, resourceId } from '../arm-bodies.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import type { MachineImages, TaggedImage } from './machine-images.ts';

const IMAGE_TAG = 'berth-image';

/** Images by Azure Resource Manager: `Microsoft.Compute/images`. */
export function azureMachineImages({ compute, settings, group, begin }: ArmClients): MachineImages {
  const idOf = (name: string): string => resourceId(settings, 'Microsoft.Compute/images', name);
  return {
    idOf,
    deallocate: (vm) =>
      begin({ kind: 'power', name: vm }, () => compute.virtualMachines.deallocate(group, vm)),
    async generalize(vm) {
      try {
        await compute.virtualMachines.generalize(group, vm);
        return { status: 'done' };
      } catch (error) {
        const { statusCode: _, ...refused } = refusal(error);
        return refused;
      }
    },
    async capture({ name, vm, profile }) {
      // An image is of the generation of its machine; Azure does not always conclude it by itself.
      const view = await found(compute.virtualMachines.instanceView(group, vm));
      const generation = view?.hyperVGeneration;
      return begin({ kind: 'image', name }, () =>
        compute.images.createOrUpdate(group, name, {
          location: settings.location,
          tags: { [IMAGE_TAG]: profile, [CREATED_TAG]: new Date().toISOString() },
          sourceVirtualMachine: { id: resourceId(settings, 'Microsoft.Compute/virtualMachines', vm) },
          ...(generation !== undefined && { hyperVGeneration: generation }),
        }),
      );
    },
    remove: (name) => begin({ kind: 'delete-image', name }, () => compute.images.delete(group, name)),
    async tagged() {
      const read = async (): Promise<TaggedImage[]> => {
        const images: TaggedImage[] = [];
        for await (const { name, tags } of compute.images.listByResourceGroup(group)) {
          const profile = tags?.[IMAGE_TAG];
          if (name !== undefined && profile !== undefined)
            images.push({ name, id: idOf(name), profile, createdAt: tags?.[CREATED_TAG] });
        }
        return images;
      };
      return (await found(read())) ?? [];
    },
  };
}
