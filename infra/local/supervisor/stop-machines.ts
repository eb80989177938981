import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DataCentre } from '../data-centre.ts';
import type { HostEngine } from '../machine-runtime/engine.ts';
import { dataCentreLabel } from '../machine-runtime/machine-container.ts';
import { removeMachineNetwork } from '../machine-runtime/machine-network.ts';
import { stopEngine } from '../machine-runtime/own-engine.ts';
import { stopVirtualMachines } from '../machine-runtime/qemu/stop-virtual-machines.ts';

/** Stops what runs on the engine for this data centre. Our own engine stops with it, and the computer's settings are put back. */
export async function stopMachines(engine: HostEngine, dataCentre: DataCentre): Promise<void> {
  await stopVirtualMachines(dataCentre, 'power-down');
  if (engine.own) {
    await stopEngine(dataCentre);
    return;
  }
  const containers = await containersOf(engine, dataCentre);
  await Promise.all(
    containers.map((id) => engine.api.send('POST', `/containers/${id}/stop?t=30`, undefined, [304, 404])),
  );
}

/** What finds a data centre's things again. */
type Place = Pick<DataCentre, 'id' | 'directory' | 'network'>;

/**
 * Removes the data centre's machines, their volumes, its network and what lies in its directory. Archives of machine
 * images are kept, and other data centres below it: `npm start` has its own in .berth, --once and the bench inside that.
 */
export async function removeDataCentre(engine: HostEngine, dataCentre: Place): Promise<void> {
  await stopVirtualMachines(dataCentre, 'cut-off');
  if (engine.own) await stopEngine(dataCentre);
  else {
    for (const id of await containersOf(engine, dataCentre))
      await engine.api.send('DELETE', `/containers/${id}?force=true&v=true`, undefined, [404]);
    for (const name of await volumesOf(engine, dataCentre))
      await engine.api.send('DELETE', `/volumes/${name}`, undefined, [404]);
    await removeMachineNetwork(engine, dataCentre.network);
  }
  for (const name of await readdir(dataCentre.directory))
    if (!KEPT.has(name)) await rm(join(dataCentre.directory, name), { recursive: true, force: true });
}

/** Archives of machine images, and the data centres of `--once` and of the benchmarks, which are others. */
const KEPT: ReadonlySet<string> = new Set(['cache', 'once', 'bench']);

const filtersOf = (dataCentre: Pick<Place, 'id'>): string =>
  JSON.stringify({ label: [`${dataCentreLabel}=${dataCentre.id}`] });

async function containersOf({ api }: HostEngine, dataCentre: Pick<Place, 'id'>): Promise<readonly string[]> {
  const query = new URLSearchParams({ all: 'true', filters: filtersOf(dataCentre) });
  const found = await api.json(z.array(z.object({ Id: z.string() })), 'GET', `/containers/json?${query}`);
  return found.map(({ Id }) => Id);
}

async function volumesOf({ api }: HostEngine, dataCentre: Pick<Place, 'id'>): Promise<readonly string[]> {
  const Listed = z.object({ Volumes: z.array(z.object({ Name: z.string() })).nullable() });
  const query = new URLSearchParams({ filters: filtersOf(dataCentre) });
  const { Volumes } = await api.json(Listed, 'GET', `/volumes?${query}`);
  return (Volumes ?? []).map(({ Name }) => Name);
}
