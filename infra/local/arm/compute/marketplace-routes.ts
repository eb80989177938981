import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';

/** Images of the marketplace that Berth's docs and profiles name, of the thousands that Azure has: publisher, offer, skus. */
const MARKETPLACE: readonly (readonly [publisher: string, offer: string, skus: readonly string[]])[] = [
  ['Debian', 'debian-11', ['11', '11-gen2']],
  ['Debian', 'debian-12', ['12', '12-arm64', '12-gen2']],
  ['Debian', 'debian-13', ['13', '13-arm64', '13-gen2']],
  ['Canonical', '0001-com-ubuntu-server-jammy', ['22_04-lts', '22_04-lts-arm64', '22_04-lts-gen2']],
  ['Canonical', 'ubuntu-24_04-lts', ['minimal', 'server', 'server-arm64', 'server-gen1']],
  ['MicrosoftCBLMariner', 'azure-linux-3', ['azure-linux-3', 'azure-linux-3-arm64', 'azure-linux-3-gen2']],
  ['kinvolk', 'flatcar-container-linux-corevm-amd64', ['alpha', 'beta', 'stable']],
  [
    'MicrosoftWindowsServer',
    'WindowsServer',
    ['2022-datacenter-core-g2', '2022-datacenter-g2', '2025-datacenter-core-g2', '2025-datacenter-g2'],
  ],
];

/**
 * What the marketplace has: names at each level, as a bare array. A publisher, offer or SKU that is not there is a 404.
 * https://learn.microsoft.com/rest/api/compute/virtual-machine-images
 */
export function marketplaceRoutes(arm: Arm): readonly Route[] {
  const publishers =
    '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers';
  const offers = `${publishers}/{publisher}/artifacttypes/vmimage/offers`;
  const skus = `${offers}/{offer}/skus`;
  const named = (request: ArmRequest, names: readonly string[]) => {
    if (names.length === 0) throw new ArmError(404, 'NotFound', 'Artifact: VMImage was not found.');
    return {
      status: 200,
      body: [...new Set(names)].map((name) => ({
        location: arm.location,
        name,
        id: `${request.path}/${name}`,
      })),
    };
  };
  const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  const of = (request: ArmRequest) =>
    MARKETPLACE.filter(([publisher]) => same(publisher, parameter(request, 'publisher')));
  return [
    {
      method: 'GET',
      template: publishers,
      handle: (request) =>
        named(
          request,
          MARKETPLACE.map(([publisher]) => publisher),
        ),
    },
    {
      method: 'GET',
      template: offers,
      handle: (request) =>
        named(
          request,
          of(request).map(([, offer]) => offer),
        ),
    },
    {
      method: 'GET',
      template: skus,
      handle: (request) =>
        named(
          request,
          of(request)
            .filter(([, offer]) => same(offer, parameter(request, 'offer')))
            .flatMap(([, , names]) => names),
        ),
    },
  ];
}
