import type { Issue } from '../../model/invalid.ts';
import { nearest } from '../../model/nearest.ts';
import type { NewMachine } from '../../model/new-machine.ts';
import { isPoolMachineName } from '../machine-names.ts';
import type { KnownSku } from '../offerings/offering.ts';
import type { ImageFound, KnownNetwork } from './catalogue.ts';
import { customDataFault } from './custom-data.ts';
import { holds } from './ipv4.ts';

/** What there is where the machine is to be made. */
export interface Surroundings {
  readonly location: string;
  readonly sizes: readonly KnownSku[];
  /** CIDR of the subnet of Berth's machines. */
  readonly network: string;
  /** Networks among which the request chooses. */
  readonly networks: readonly KnownNetwork[];
  /** Of the marketplace's image that was asked for. */
  readonly image: ImageFound | undefined;
  /** Of the image resource that was asked for. */
  readonly hasImage: boolean | undefined;
}

/** https://learn.microsoft.com/azure/virtual-machines/linux/faq: names that Azure gives to no user. */
const REFUSED_USERS = new Set(
  'administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5'.split(
    ' ',
  ),
);
/** Azure takes 50 tags, of which Berth gives three. */
const MOST_TAGS = 47;

/** What is wrong with a request, and what was probably meant. Pure. */
export function faultsOf(request: NewMachine, around: Surroundings): readonly Issue[] {
  const issues: Issue[] = [];
  const fault = (path: string, message: string): void => void issues.push({ path, message });

  if (isPoolMachineName(request.name))
    fault(
      'name',
      `${request.name} looks like a name that Berth makes up for machines of pools: choose another`,
    );

  const size = sizeNamed(request.size, around.sizes);
  if (size === undefined)
    fault(
      'size',
      unknown(`size ${request.size} in ${around.location}`, sizesLike(request.size, around.sizes)),
    );
  if (size !== undefined && request.priority === 'spot' && !size.spot)
    fault('priority', `${size.name} is not to be had as spot: choose another size, or regular`);
  if (request.zone !== undefined && size !== undefined && !size.zones.includes(request.zone))
    fault(
      'zone',
      size.zones.length === 0
        ? `${around.location} offers ${size.name} in no zone: leave the zone out`
        : `${around.location} offers ${size.name} in the zones ${size.zones.join(', ')}; found ${request.zone}`,
    );
  if (request.location !== undefined && plain(request.location) !== plain(around.location))
    fault(
      'location',
      `machines are made in ${around.location}, where this Berth is; found ${request.location}`,
    );

  note(imageFault(request.image, around), 'image');
  note(networkFault(request, around), 'network');
  const prefix = subnetOf(request, around.networks)?.prefix ?? around.network;
  if (
    request.address !== undefined &&
    networkFault(request, around) === undefined &&
    !holds(prefix, request.address)
  )
    fault(
      'address',
      `${request.address} is none that a machine in ${prefix} may have: Azure keeps the first four and the last`,
    );
  if (request.dnsLabel !== undefined && !request.publicAddress)
    fault('dnsLabel', 'a DNS name belongs to a public address, which was refused with publicAddress: false');
  if (REFUSED_USERS.has(request.adminUser))
    fault('adminUser', `Azure gives no user the name ${request.adminUser}: choose another`);
  for (const tag of Object.keys(request.tags))
    if (/^berth-/i.test(tag)) fault(`tags.${tag}`, "tags that begin with berth- are Berth's own");
    else if (/[<>%&\\?/]/.test(tag))
      fault(`tags.${tag}`, "a tag's name has none of the characters < > % & \\ ? /");
  if (Object.keys(request.tags).length > MOST_TAGS)
    fault('tags', `at most ${MOST_TAGS} tags; found ${Object.keys(request.tags).length}`);
  note(request.customData === undefined ? undefined : customDataFault(request.customData), 'customData');
  return issues;

  function note(message: string | undefined, path: string): void {
    if (message !== undefined) fault(path, message);
  }
}

/** Sizes that this subscription may have; Azure compares them without regard to case. */
export const sizeNamed = (name: string, sizes: readonly KnownSku[]): KnownSku | undefined =>
  sizes.find((size) => size.restricted === undefined && size.name.toLowerCase() === name.toLowerCase());

/** The subnet of one's own that a request means; undefined where it is Berth's, or not known. */
export function subnetOf(
  { network, subnet }: Pick<NewMachine, 'network' | 'subnet'>,
  networks: readonly KnownNetwork[],
): KnownNetwork['subnets'][number] | undefined {
  if (network === undefined) return undefined;
  const subnets = networkNamed(network, networks)?.subnets ?? [];
  if (subnet === undefined) return subnets.length === 1 ? subnets[0] : undefined;
  return subnets.find(({ name }) => name.toLowerCase() === subnet.toLowerCase());
}

const networkNamed = (network: string, networks: readonly KnownNetwork[]): KnownNetwork | undefined =>
  networks.find(({ id, name }) => [id, name].some((one) => one.toLowerCase() === network.toLowerCase()));

function networkFault({ network, subnet }: NewMachine, { networks }: Surroundings): string | undefined {
  if (network === undefined)
    return subnet === undefined ? undefined : `the subnet ${subnet} needs the network that it is in`;
  const found = networkNamed(network, networks);
  if (found === undefined)
    return unknown(
      `network ${network}`,
      nearest(
        network,
        networks.map(({ name }) => name),
      ),
    );
  if (subnetOf({ network, subnet }, networks) !== undefined) return undefined;
  const names = found.subnets.map(({ name }) => name);
  return subnet === undefined
    ? `the network ${found.name} has the subnets ${names.join(', ')}: name one`
    : unknown(`subnet ${subnet} in ${found.name}`, nearest(subnet, names));
}

function imageFault(image: string, { image: found, hasImage }: Surroundings): string | undefined {
  if (hasImage === false) return `there is no image ${image}`;
  if (found === undefined || found.found) return undefined;
  const [publisher = '', offer = '', sku = ''] = image.split(':');
  const part = { publisher, offer, sku }[found.unknown];
  const place = { publisher: '', offer: ` of ${publisher}`, sku: ` of ${publisher}:${offer}` }[found.unknown];
  return unknown(`${found.unknown} ${part}${place}`, nearest(part, found.known));
}

/** With and without what all of Azure's names begin with. */
function sizesLike(name: string, sizes: readonly KnownSku[]): readonly string[] {
  const bare = name.replace(/^standard[_ -]?/i, '');
  const open = sizes.filter(({ restricted }) => restricted === undefined);
  const byBare = new Map(open.map((size) => [size.name.replace(/^Standard_/i, ''), size.name]));
  return nearest(bare, byBare.keys()).flatMap((found) => byBare.get(found) ?? []);
}

const unknown = (what: string, near: readonly string[]): string =>
  near.length === 0 ? `there is no ${what}` : `there is no ${what}: did you mean ${near.join(' or ')}?`;

const plain = (location: string): string => location.replaceAll(' ', '').toLowerCase();
