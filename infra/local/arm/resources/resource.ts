/** What the endpoint keeps of each kind of resource. `properties` is what GET shows; `hidden` never leaves. */
export type Json = { readonly [name: string]: unknown };

export type Kind =
  | 'group'
  | 'vnet'
  | 'nsg'
  | 'asg'
  | 'publicIp'
  | 'loadBalancer'
  | 'nic'
  | 'disk'
  | 'image'
  | 'vm';

export const typeOf: Readonly<Record<Kind, string>> = {
  group: 'Microsoft.Resources/resourceGroups',
  vnet: 'Microsoft.Network/virtualNetworks',
  nsg: 'Microsoft.Network/networkSecurityGroups',
  asg: 'Microsoft.Network/applicationSecurityGroups',
  publicIp: 'Microsoft.Network/publicIPAddresses',
  loadBalancer: 'Microsoft.Network/loadBalancers',
  nic: 'Microsoft.Network/networkInterfaces',
  disk: 'Microsoft.Compute/disks',
  image: 'Microsoft.Compute/images',
  vm: 'Microsoft.Compute/virtualMachines',
};

export interface Resource {
  /** As its first PUT spelled it; compared in lower case. */
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  readonly group: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Members beside properties: sku, zones, identity. */
  readonly extra: Json;
  readonly properties: Json;
  readonly hidden: Json;
}

/** Id of a resource of the two providers that are served. */
export const resourceId = (subscription: string, group: string, kind: Kind, name: string): string =>
  kind === 'group'
    ? `/subscriptions/${subscription}/resourceGroups/${name}`
    : `/subscriptions/${subscription}/resourceGroups/${group}/providers/${typeOf[kind]}/${name}`;

export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Last segment: the name. */
export const nameOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

/** The resource as its GET answers. */
export function render(resource: Resource): Json {
  return {
    name: resource.name,
    id: resource.id,
    type: typeOf[resource.kind],
    location: resource.location,
    ...(Object.keys(resource.tags).length > 0 ? { tags: resource.tags } : {}),
    ...resource.extra,
    properties: resource.properties,
  };
}
