import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Terminal } from '../../../shared/model/errors.ts';
import { DataCentre, type MachineKind, readDataCentre } from '../data-centre.ts';
import { ensureEngine, type HostEngine } from '../machine-runtime/engine.ts';
import { ensureMachineNetwork } from '../machine-runtime/machine-network.ts';
import { stopEngine } from '../machine-runtime/own-engine.ts';
import { installQemu } from '../machine-runtime/qemu/install.ts';
import { writePrivateFile } from '../platform-ca/private-file.ts';
import { filesOf } from './files.ts';
import { takeTurn } from './host-turn.ts';
import { checkPorts, choosePorts } from './ports.ts';

export interface Prepared {
  readonly dataCentre: DataCentre;
  readonly engine: HostEngine;
  /** To be called when network and ports are in use, or will not be: until then no other data centre chooses its own. */
  settled(): void;
}

/**
 * Makes what the processes need: the engine, the machines' network, ports, ids. What an earlier start chose is kept.
 * @param directory absolute
 * @param machines what machines are; absent: as earlier, at first containers
 * @throws Terminal of the engine, of the network and of the ports
 */
export async function prepare(
  directory: string,
  dockerHost: string | undefined,
  report: (line: string) => void,
  machines?: MachineKind,
): Promise<Prepared> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = filesOf(directory).dataCentre;
  const earlier = existsSync(file) ? readDataCentre(file) : undefined;
  if (earlier !== undefined && machines !== undefined && (earlier.machines ?? 'containers') !== machines)
    throw otherMachines(earlier.machines ?? 'containers', machines);
  if ((machines ?? earlier?.machines) === 'qemu') await installQemu(report);
  const id = earlier?.id ?? randomBytes(4).toString('hex');
  const engine = await ensureEngine({ id, directory, dockerHost, report });
  const settled = await takeTurn(report);
  try {
    return { engine, dataCentre: await arrange(engine, directory, id, earlier, machines), settled };
  } catch (error) {
    settled();
    if (engine.own) await stopEngine({ id, directory });
    throw error;
  }
}

/** Network, ports and ids on an engine that runs. */
async function arrange(
  engine: HostEngine,
  directory: string,
  id: string,
  earlier: DataCentre | undefined,
  machines: MachineKind | undefined,
): Promise<DataCentre> {
  const network = earlier?.network ?? `berth-${id}`;
  const { subnet, gateway } = await ensureMachineNetwork(engine, {
    id,
    name: network,
    avoid: [],
    ...(earlier === undefined ? {} : { subnet: earlier.subnet }),
  });
  const addresses = [gateway, '127.0.0.1'];
  if (earlier !== undefined) await checkPorts(earlier.ports, addresses);
  const dataCentre = DataCentre.parse({
    subscription: randomUUID(),
    tenant: randomUUID(),
    identity: { clientId: randomUUID(), principalId: randomUUID(), header: randomBytes(24).toString('hex') },
    ports: earlier?.ports ?? (await choosePorts(addresses)),
    storageAccount: `berth${id}`,
    resourceGroup: 'berth',
    location: 'westeurope',
    ...(machines !== undefined && { machines }),
    ...earlier,
    id,
    directory,
    network,
    subnet,
    gateway,
    engineSocket: engine.socket,
  });
  await writePrivateFile(filesOf(directory).dataCentre, `${JSON.stringify(dataCentre, null, 2)}\n`);
  return dataCentre;
}

const otherMachines = (are: MachineKind, wanted: MachineKind): Terminal =>
  new Terminal({
    code: 'other-machines',
    message: `The machines of this data centre are ${are}, and cannot become ${wanted}`,
    remedy: `Forget it and begin anew: npm start -- --reset --machines ${wanted}`,
  });

/** Where base images' archives are kept: beside the data, so that a reset need not make them again. */
export const cacheOf = (checkout: string): string => join(checkout, '.berth', 'cache');
