import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { MachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.ts';

/** Machines that are files of a folder, so that they outlive the process; every call takes some milliseconds. */
export function folderMachineRuntime(folder: string): MachineRuntime {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const set = async (name: string, state: 'running' | 'stopped'): Promise<void> => {
    await wait(5);
    writeFileSync(file(name), state);
  };
  const list = async () => readdirSync(folder);
  return {
    async create({ name }) {
      await wait(20);
      if ((await list()).includes(name)) return;
      await set(name, 'stopped');
      await wait(20);
      await set(name, 'running');
    },
    start: (name) => set(name, 'running'),
    stop: (name) => set(name, 'stopped'),
    restart: (name) => set(name, 'running'),
    async remove(name) {
      await wait(20);
      rmSync(file(name), { force: true });
    },
    state: async (name) =>
      (await list()).includes(name) ? (readFileSync(file(name), 'utf8') as 'running' | 'stopped') : 'absent',
    list,
    console: async () => '',
    capture: async () => {},
    removeImage: async () => {},
    run: async () => ({ exitCode: 127, stdout: '', stderr: 'no programs here\n' }),
    setInboundRules: async () => {},
  };
}
