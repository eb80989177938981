import { Terminal } from '../../model/errors.ts';
import { refusal } from '../arm-answers.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import type { Evictions } from './evictions.ts';

export const azureEvictions = ({ compute, group }: ArmClients): Evictions => ({
  async simulate(vm) {
    try {
      await compute.virtualMachines.simulateEviction(group, vm);
    } catch (error) {
      const { code, message } = refusal(error);
      throw new Terminal({
        code: 'eviction-refused',
        status: 409,
        message: `Azure does not take ${vm} back: ${code}: ${message}`,
        remedy: 'Only spot machines that exist are taken back.',
        cause: error,
      });
    }
  },
});
