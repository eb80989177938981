import { z } from 'zod';
import { Reference, Tags } from '../requests/bodies.ts';

const deleteOption = z.string().optional();

/** What the endpoint reads of a VM's PUT: https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update */
export const VirtualMachineBody = z.looseObject({
  location: z.string().min(1),
  tags: Tags,
  zones: z.array(z.string()).optional(),
  identity: z
    .looseObject({
      type: z.string(),
      userAssignedIdentities: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
  properties: z.looseObject({
    hardwareProfile: z.looseObject({ vmSize: z.string().default('Standard_D2s_v5') }),
    storageProfile: z.looseObject({
      imageReference: z
        .looseObject({
          id: z.string().optional(),
          publisher: z.string().optional(),
          offer: z.string().optional(),
          sku: z.string().optional(),
          version: z.string().optional(),
        })
        .optional(),
      osDisk: z
        .looseObject({
          name: z.string().optional(),
          createOption: z.string(),
          deleteOption,
          diskSizeGB: z.number().int().positive().optional(),
          managedDisk: z.looseObject({ storageAccountType: z.string().optional() }).optional(),
        })
        .optional(),
      dataDisks: z.array(z.unknown()).optional(),
    }),
    osProfile: z
      .looseObject({
        computerName: z.string().optional(),
        adminUsername: z.string().optional(),
        adminPassword: z.string().optional(),
        customData: z.string().optional(),
        linuxConfiguration: z
          .looseObject({
            disablePasswordAuthentication: z.boolean().optional(),
            ssh: z
              .looseObject({
                publicKeys: z
                  .array(z.looseObject({ path: z.string().optional(), keyData: z.string().optional() }))
                  .optional(),
              })
              .optional(),
          })
          .optional(),
        windowsConfiguration: z.unknown().optional(),
      })
      .optional(),
    networkProfile: z
      .looseObject({
        networkInterfaces: z
          .array(
            Reference.extend({
              properties: z.looseObject({ primary: z.boolean().optional(), deleteOption }).optional(),
            }),
          )
          .default([]),
      })
      .optional(),
    userData: z.string().optional(),
    priority: z.enum(['Regular', 'Low', 'Spot']).optional(),
    evictionPolicy: z.enum(['Deallocate', 'Delete']).optional(),
    billingProfile: z.looseObject({ maxPrice: z.number().optional() }).optional(),
  }),
});
export type VirtualMachineBody = z.infer<typeof VirtualMachineBody>;
export type VirtualMachineProperties = VirtualMachineBody['properties'];
