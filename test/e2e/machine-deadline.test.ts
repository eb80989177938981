import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provision } from '../../functions/orchestrators/provision-machine.ts';
import type { Services } from '../../functions/services.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../shared/machines/cloud.azure.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { MachineName } from '../../shared/model/names.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { credential, startTestArm, type TestArm } from '../support/arm.ts';
import { machineActivities } from '../support/machine-activities.ts';
import { noMachines, startMachines, type TestMachines } from '../support/machines.ts';
import { poolServices } from '../support/pools.ts';
import { durableHost } from '../support/simulation/durable-host.ts';
import { draws } from '../support/simulation/virtual-time.ts';

const obstacle = await noMachines();
const name = MachineName.parse('default-k3x9bc');

describe.skipIf(obstacle !== undefined)(
  `a machine that never registers${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let machines: TestMachines;
    let arm: TestArm;
    beforeAll(async () => {
      machines = await startMachines();
      const { subnet, gateway } = machines.network;
      arm = await startTestArm({ runtime: machines.runtime, subnet, gateway });
    });
    afterAll(async () => {
      await arm?.close();
      await machines?.close();
    });

    it('is removed after registerWithin, with its console kept and the reason told', async () => {
      const tables = memoryTables();
      const now = (): Date => new Date();
      const ca = ensureEngineCa({ ensure: async (_name, make) => await make() });
      const services = {
        // Its customData names an app that is not there.
        settings: { ...arm.settings, hostname: 'nobody.invalid' },
        now,
        engineCa: () => ca,
        tables,
        machines: machineStore(tables),
        cloud: azureCloud(armClients(arm.settings, credential)),
        consoles: consoles(memoryBlobs()),
        ...poolServices({ tables, now }),
      } as unknown as Services;
      const host = durableHost({ now, sleep: (milliseconds) => sleep(Math.max(0, milliseconds)) }, draws(1), {
        activities: machineActivities,
        orchestrators: { 'provision-machine': provision },
        services: () => services,
        crashes: () => false,
      });
      const request = ProvisionMachine.parse({
        pool: 'default',
        machine: name,
        spec: { registerWithin: 30 },
        cause: 'test',
      });
      const output = await host.start('provision-machine', `machine-${name}`, request);
      expect(output).toEqual({
        status: 'failed',
        code: 'machine-not-registered',
        reason: `Azure made the virtual machine, but ${name} did not report within 30 s`,
      });
      const record = await services.machines.get(name);
      expect(record).toMatchObject({
        leftovers: [],
        status: {
          state: 'failed',
          reason: expect.stringMatching(/did not report within 30 s\. Its console ends:\n/),
          remedy: expect.stringContaining('registerWithin'),
          console: `console/${name}/1.log`,
        },
      });
      const log = (await services.consoles.read(`console/${name}/1.log`)) ?? '';
      expect(log).toContain('Cloud-init');
      expect(log.split('\n').length).toBeGreaterThan(20);
      expect(await services.cloud.tagged()).toEqual([]);
      expect(await machines.runtime.list()).toEqual([]);
    });
  },
);
