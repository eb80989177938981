import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { createMachine, type MachinePlan, planMachine } from '../../../shared/api/routes/by-hand.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { addressOf } from '../../machine/machine-address.ts';
import { ensureContext, type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { type CreateOptions, newMachineOf } from '../../machine/new-machine.ts';
import { costText, priceText } from '../../machine/price.ts';
import { defaultPublicKeys, readPublicKey } from '../../machine/ssh-identity.ts';
import { watchOperation } from '../../machine/watch-operation.ts';

interface Options extends CreateOptions {
  readonly sshKey?: readonly string[];
  readonly customData?: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

/** Azure's limit of customData, decoded. */
const MOST = 65_535;

const several = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(',').filter((part) => part !== ''),
];
const one = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

export function addCreate(machine: Command): void {
  const command = machine
    .command('create')
    .description('makes a Docker host, and a context of it for docker')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--size <size>', "one of Azure's sizes; Standard_B2s if not said")
    .option('--image <image>', 'publisher:offer:sku:version, or the resource id of an image')
    .option('--location <region>', 'only the installation’s own')
    .option('--zone <zone>', 'availability zone: 1, 2 or 3')
    .option('--network <name>', "a network of one's own: its name or resource id")
    .option('--subnet <name>', 'a subnet of that network')
    .option('--no-public-ip', 'reachable at its private address alone')
    .option('--private-address <address>', 'a fixed private address; the next that is free if not said')
    .option('--dns <label>', 'first part of the public DNS name')
    .option('--open-port <port>', 'a further port that is open: 80, 8000-8010, 53/udp; repeatable', several)
    .option(
      '--allow-from <cidr>',
      'who reaches it: an address or range, repeatable; your own address if not said',
      several,
    )
    .option('--spot', 'for less, and taken away whenever Azure needs it')
    .option('--tag <key=value>', 'tag of its resources in Azure, repeatable', one)
    .option('--custom-data <file>', "cloud-init's user data, carried out after Berth's own")
    .option('--ssh-key <file>', 'public key that may log in, repeatable; those in ~/.ssh if not said', one)
    .option('--ssh-user <name>', 'administrator; berth if not said')
    .option('--dry-run', 'checks everything, says what would be made and what it costs, makes nothing')
    .option('--no-wait', 'return when it is recorded');
  for (const option of ofDockerMachine()) command.addOption(option.hideHelp());
  command.action((name: string, options: Options & DockerMachineOptions, verb: Command) =>
    withMachines(verb, (session) => create(session, name, { ...options, ...translated(options) })),
  );
}

/** Names that docker-machine's azure driver has for them: scripts go on working. */
interface DockerMachineOptions {
  readonly driver?: string;
  readonly azureSize?: string;
  readonly azureImage?: string;
  readonly azureLocation?: string;
  readonly azureVnet?: string;
  readonly azureSubnet?: string;
  readonly azurePublicIp?: boolean;
  readonly azurePrivateIpAddress?: string;
  readonly azureDns?: string;
  readonly azureOpenPort?: readonly string[];
  readonly azureSshUser?: string;
  readonly azureCustomData?: string;
}

const ofDockerMachine = (): readonly Option[] => [
  new Option('-d, --driver <name>').choices(['azure']),
  new Option('--azure-size <size>'),
  new Option('--azure-image <image>'),
  new Option('--azure-location <region>'),
  new Option('--azure-vnet <name>'),
  new Option('--azure-subnet <name>'),
  new Option('--no-azure-public-ip'),
  new Option('--azure-no-public-ip'),
  // Public addresses are static always.
  new Option('--static-ip'),
  new Option('--azure-static-public-ip'),
  new Option('--azure-private-ip-address <address>'),
  new Option('--azure-dns <label>'),
  new Option('--azure-open-port <port>').argParser(several),
  new Option('--azure-ssh-user <name>'),
  new Option('--azure-custom-data <file>'),
];

function translated(
  options: Options & DockerMachineOptions & { azureNoPublicIp?: boolean },
): Partial<Options> {
  const found = {
    size: options.azureSize,
    image: options.azureImage,
    location: options.azureLocation,
    network: options.azureVnet,
    subnet: options.azureSubnet,
    privateAddress: options.azurePrivateIpAddress,
    dns: options.azureDns,
    openPort: options.azureOpenPort,
    sshUser: options.azureSshUser,
    customData: options.azureCustomData,
    publicIp: options.azureNoPublicIp === true || options.azurePublicIp === false ? false : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

async function create(session: MachineSession, name: string, options: Options): Promise<void> {
  const { client, output, folder } = session;
  const sshKeys =
    options.sshKey === undefined
      ? defaultPublicKeys(folder)
      : options.sshKey.map((file) => readPublicKey(file, folder));
  const customData = options.customData === undefined ? undefined : readCustomData(options.customData);
  const json = newMachineOf(name, options, { sshKeys, customData });
  if (options.dryRun === true) {
    const { plan } = await client.call(planMachine, { json });
    return output.data(plan, () => planText(plan));
  }
  const { operation, plan, machine } = await client.call(createMachine, { json });
  output.say(
    `${name}: ${plan.size}, ${plan.cpu} cores, ${plan.memory} MiB, ${priceText(plan.cost.total)}; reached from ${plan.allowFrom.join(', ')}`,
  );
  if (!options.wait) return output.data(machine, () => `${name} is being made: berth machine status ${name}`);
  await watchOperation(session, operation);
  const made = await session.find(name);
  await ensureContext(session, made);
  output.data(made, () => readyText(made));
}

const readyText = (machine: Machine): string =>
  [
    `${machine.name} is ready at ${addressOf(machine)}.`,
    '',
    `  docker context use berth-${machine.name}`,
    `  eval "$(berth machine env ${machine.name})"`,
    `  berth machine ssh ${machine.name}`,
  ].join('\n');

function planText(plan: MachinePlan): string {
  const rows = [
    [
      'size',
      `${plan.size}: ${plan.cpu} cores, ${plan.memory} MiB${plan.priority === 'spot' ? ', spot' : ''}`,
    ],
    ['image', plan.image],
    ['location', plan.zone === undefined ? plan.location : `${plan.location}, zone ${plan.zone}`],
    ['network', `${plan.network}/${plan.subnet}`],
    ['public address', plan.publicAddress ? (plan.hostname ?? 'yes, static') : 'none'],
    ['reached from', plan.allowFrom.join(', ') || 'nowhere outside its network'],
    ['open ports', ['2376 (docker)', '22 (ssh)', ...plan.openPorts].join(', ')],
    ['administrator', `${plan.adminUser}, ${plan.sshKeys} ssh ${plan.sshKeys === 1 ? 'key' : 'keys'}`],
    ['customData', `${plan.customData} of ${MOST} bytes`],
    ...(Object.keys(plan.tags).length === 0
      ? []
      : [
          [
            'tags',
            Object.entries(plan.tags)
              .map(([key, value]) => `${key}=${value}`)
              .join(', '),
          ],
        ]),
    ['makes', plan.makes.join(', ')],
    ['costs', costText(plan.cost)],
  ] as const;
  return [
    `${plan.name} would be made so; nothing was made.`,
    ...rows.map(([title, value]) => `  ${title.padEnd(15)} ${value}`),
  ].join('\n');
}

function readCustomData(file: string): string {
  const fault = (message: string, remedy: string): Failure =>
    new Failure({ code: 'custom-data-unreadable', message, remedy, exitCode: exitCodes.usage });
  try {
    const { size } = statSync(file);
    if (size > MOST)
      throw fault(
        `--custom-data ${file} has ${size} bytes; Azure takes at most ${MOST} with Berth's own.`,
        'Have it fetch what is large.',
      );
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw fault(
      `--custom-data ${file} cannot be read as text: ${error instanceof Error ? error.message : String(error)}`,
      'Name a file with #cloud-config, a script that begins with #!, or a MIME multipart text.',
    );
  }
}
