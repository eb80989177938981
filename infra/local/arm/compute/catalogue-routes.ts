import type { Arm } from '../arm.ts';
import { type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { existing } from '../resources/lookup.ts';
import type { Json } from '../resources/resource.ts';
import { coresInUse, familyLimit, spotLimit } from './quota.ts';
import { SIZES, type Size } from './sizes.ts';

const capability = (name: string, value: string | number | boolean) => ({
  name,
  value: typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value),
});

/** An entry of Microsoft.Compute/skus: values of capabilities are strings. */
const sku = (arm: Arm, size: Size): Json => ({
  resourceType: 'virtualMachines',
  name: size.name,
  tier: size.tier,
  size: size.size,
  family: size.family,
  locations: [arm.location],
  locationInfo: [{ location: arm.location, zones: [...size.zones], zoneDetails: [] }],
  capabilities: [
    capability('MaxResourceVolumeMB', size.temporaryDisk),
    capability('vCPUs', size.cores),
    capability('vCPUsAvailable', size.cores),
    capability('MemoryGB', size.memory),
    capability('MaxDataDiskCount', size.maxDataDisks),
    capability('CpuArchitectureType', 'x64'),
    capability('HyperVGenerations', 'V1,V2'),
    capability('PremiumIO', size.premium),
    capability('LowPriorityCapable', size.spot),
  ],
  restrictions: [],
});

const legacySize = (size: Size): Json => ({
  name: size.name,
  numberOfCores: size.cores,
  osDiskSizeInMB: 1_047_552,
  resourceDiskSizeInMB: size.temporaryDisk,
  memoryInMB: size.memory * 1024,
  maxDataDiskCount: size.maxDataDisks,
});

/** What a subscription may use: skus, sizes, usages, locations. */
export function catalogueRoutes(arm: Arm): readonly Route[] {
  const compute = '/subscriptions/{subscription}/providers/Microsoft.Compute';
  const ok = (value: readonly Json[]) => ({ status: 200, body: { value } });
  const skus = (request: ArmRequest) => {
    const wanted = /location eq '([^']*)'/i.exec(request.query.get('$filter') ?? '')?.[1];
    const here =
      wanted === undefined || wanted.replaceAll(' ', '').toLowerCase() === arm.location.toLowerCase();
    return ok(here ? SIZES.map((size) => sku(arm, size)) : []);
  };
  const usages = () => {
    const { regional, families, spot } = coresInUse(arm);
    const usage = (value: string, localizedValue: string, currentValue: number, limit: number): Json => ({
      unit: 'Count',
      currentValue,
      limit,
      name: { value, localizedValue },
    });
    return ok([
      usage('cores', 'Total Regional vCPUs', regional, arm.quota.regionalCores),
      usage('lowPriorityCores', 'Total Regional Spot vCPUs', spot, spotLimit(arm)),
      usage('virtualMachines', 'Virtual Machines', arm.resources.list('vm').length, 25_000),
      ...[...new Set(SIZES.map(({ family }) => family))].map((family) =>
        usage(family, `${family} vCPUs`, families.get(family) ?? 0, familyLimit(arm, family)),
      ),
    ]);
  };
  const provider = (request: ArmRequest) => ({
    status: 200,
    body: {
      id: `/subscriptions/${arm.subscription}/providers/${parameter(request, 'namespace')}`,
      namespace: parameter(request, 'namespace'),
      registrationState: 'Registered',
      registrationPolicy: 'RegistrationRequired',
      resourceTypes: [],
    },
  });
  const subscription = () => ({
    status: 200,
    body: {
      id: `/subscriptions/${arm.subscription}`,
      subscriptionId: arm.subscription,
      tenantId: arm.tenant,
      displayName: 'Local data centre',
      state: 'Enabled',
      subscriptionPolicies: {
        locationPlacementId: 'Public_2014-09-01',
        quotaId: 'PayAsYouGo_2014-09-01',
        spendingLimit: 'Off',
      },
    },
  });
  const location = (): Json => ({
    id: `/subscriptions/${arm.subscription}/locations/${arm.location}`,
    subscriptionId: arm.subscription,
    name: arm.location,
    displayName: arm.location,
    type: 'Region',
  });
  return [
    { method: 'GET', template: `${compute}/skus`, handle: skus },
    {
      method: 'GET',
      template: `${compute}/locations/{location}/vmSizes`,
      handle: () => ok(SIZES.map(legacySize)),
    },
    { method: 'GET', template: `${compute}/locations/{location}/usages`, handle: usages },
    {
      method: 'GET',
      template:
        '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}/vmSizes',
      handle: (request) => {
        existing(arm, request, 'vm');
        return ok(SIZES.map(legacySize));
      },
    },
    { method: 'GET', template: '/subscriptions/{subscription}/locations', handle: () => ok([location()]) },
    { method: 'GET', template: '/subscriptions/{subscription}', handle: subscription },
    { method: 'GET', template: '/subscriptions', handle: () => ok([subscription().body]) },
    { method: 'GET', template: '/subscriptions/{subscription}/providers/{namespace}', handle: provider },
  ];
}
