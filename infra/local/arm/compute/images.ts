import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, invalidParameter } from '../requests/arm-error.ts';
import { parseBody, Reference } from '../requests/bodies.ts';
import { referenced } from '../resources/lookup.ts';
import { nameOf, type Resource, render } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { propertiesOf, stateOf } from './virtual-machine.ts';

const Body = z.looseObject({
  properties: z.looseObject({
    sourceVirtualMachine: Reference.optional(),
    hyperVGeneration: z.string().default('V2'),
  }),
});

/** Images captured from generalized VMs. */
export const images = (arm: Arm): Tracked => ({
  kind: 'image',
  accept({ id, body, before }) {
    const { properties } = parseBody(Body, body);
    const source = properties.sourceVirtualMachine;
    if (source === undefined)
      throw invalidParameter(
        'sourceVirtualMachine',
        'The local data centre makes images from a virtual machine only.',
      );
    if (before !== undefined) {
      if (sourceOf(before).toLowerCase() !== source.id.toLowerCase())
        throw new ArmError(
          409,
          'PropertyChangeNotAllowed',
          "Changing property 'sourceVirtualMachine.id' is not allowed.",
        );
      return before;
    }
    const vm = referenced(arm, 'vm', source.id, id);
    if (!stateOf(vm).generalized)
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The source virtual machine '${vm.name}' is not generalized: power it off and generalize it before an image is made of it.`,
      );
    return {
      extra: {},
      // The runtime's name for it: a new one for each image, so that a name can be used again.
      hidden: { imageId: randomUUID().replaceAll('-', '') },
      properties: {
        hyperVGeneration: properties.hyperVGeneration,
        sourceVirtualMachine: { id: vm.id },
        storageProfile: {
          osDisk: {
            osType: 'Linux',
            osState: 'Generalized',
            diskSizeGB: propertiesOf(vm).storageProfile.osDisk?.diskSizeGB ?? 30,
            managedDisk: {
              id: (propertiesOf(vm).storageProfile.osDisk?.managedDisk as { id?: string } | undefined)?.id,
            },
            caching: 'ReadWrite',
          },
          dataDisks: [],
          zoneResilient: false,
        },
      },
    };
  },
  async settle(image) {
    if (image.hidden.captured === true) return;
    await arm.runtime.capture(nameOf(sourceOf(image)), imageIdOf(image));
    arm.resources.put({ ...image, hidden: { ...image.hidden, captured: true } });
  },
  removable: () => {},
  dispose: (image) => arm.runtime.removeImage(imageIdOf(image)),
  view: render,
});

const sourceOf = (image: Resource): string => (image.properties.sourceVirtualMachine as { id: string }).id;
const imageIdOf = (image: Resource): string => String(image.hidden.imageId);
