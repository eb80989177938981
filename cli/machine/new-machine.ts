import type { z } from 'zod';
import { NewMachine } from '../../shared/model/new-machine.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** Options of `berth machine create`, as commander gives them. */
export interface CreateOptions {
  readonly size?: string;
  readonly image?: string;
  readonly location?: string;
  readonly zone?: string;
  readonly network?: string;
  readonly subnet?: string;
  readonly publicIp: boolean;
  readonly privateAddress?: string;
  readonly dns?: string;
  readonly openPort?: readonly string[];
  readonly allowFrom?: readonly string[];
  readonly spot?: boolean;
  readonly tag?: readonly string[];
  readonly sshUser?: string;
}

/** Which option a member of the request comes from. */
const optionOf: Readonly<Record<string, string>> = {
  name: 'the name',
  size: '--size',
  image: '--image',
  location: '--location',
  zone: '--zone',
  network: '--network',
  subnet: '--subnet',
  dnsLabel: '--dns',
  address: '--private-address',
  openPorts: '--open-port',
  allowFrom: '--allow-from',
  adminUser: '--ssh-user',
  sshKeys: '--ssh-key',
  tags: '--tag',
  customData: '--custom-data',
};

/**
 * Pure: what the API is asked for. What is not said is left to it.
 * @throws Failure `option-invalid`, which names each option that is wrong
 */
export function newMachineOf(
  name: string,
  options: CreateOptions,
  files: { readonly sshKeys: readonly string[]; readonly customData?: string | undefined },
): z.input<typeof NewMachine> {
  const wanted = {
    name,
    size: options.size,
    image: options.image,
    location: options.location,
    zone: options.zone,
    network: options.network,
    subnet: options.subnet,
    dnsLabel: options.dns,
    address: options.privateAddress,
    ...(options.publicIp ? {} : { publicAddress: false }),
    ...(options.spot === true ? { priority: 'spot' as const } : {}),
    openPorts: options.openPort && [...options.openPort],
    allowFrom: options.allowFrom?.map((from) =>
      ['*', 'any', 'internet'].includes(from.toLowerCase()) ? '0.0.0.0/0' : from,
    ),
    adminUser: options.sshUser,
    sshKeys: [...files.sshKeys],
    tags: options.tag && tagsOf(options.tag),
    customData: files.customData,
  };
  const asked = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const parsed = NewMachine.safeParse(asked);
  if (parsed.success) return asked as z.input<typeof NewMachine>;
  throw invalid(
    parsed.error.issues.map(({ path: [member, index], message }) => {
      const given = asked[String(member)];
      const value = Array.isArray(given) && typeof index === 'number' ? given[index] : given;
      return `${optionOf[String(member)] ?? String(member)}${typeof value === 'string' && value.length < 100 ? ` ${value}` : ''}: ${message}`;
    }),
  );
}

function tagsOf(tags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    tags.map((tag) => {
      const [key = '', ...value] = tag.split('=');
      if (key === '' || value.length === 0) throw invalid([`--tag ${tag}: expected KEY=VALUE`]);
      return [key, value.join('=')];
    }),
  );
}

const invalid = (faults: readonly string[]): Failure =>
  new Failure({
    code: 'option-invalid',
    message: faults.join('\n'),
    remedy: 'Nothing was made. All options: berth machine create --help',
    exitCode: exitCodes.usage,
  });
