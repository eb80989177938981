import { found, refusal } from '../arm-answers.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import { start } from '../arm-pollers.azure.ts';
import type { CommandView, ManagedCommand, RunCommands } from './run-commands.ts';

/** Run commands by Azure Resource Manager. */
export function azureRunCommands({ compute, settings, group }: ArmClients): RunCommands {
  const commands = compute.virtualMachineRunCommands;
  return {
    async osOf(vm) {
      const machine = await found(compute.virtualMachines.get(group, vm));
      if (machine === undefined) return undefined;
      const type = machine.storageProfile?.osDisk?.osType;
      return type?.toLowerCase() === 'windows' ? 'windows' : 'linux';
    },
    async begin(vm, name, command) {
      try {
        const progress = await start({ kind: 'run-command', name }, () =>
          commands.createOrUpdate(group, vm, name, body(settings.location, command)),
        );
        return progress.status === 'refused' ? progress : { status: 'begun' };
      } catch (error) {
        const { code, message } = refusal(error);
        return { status: 'refused', code, message };
      }
    },
    async look(vm, name) {
      const one = await found(commands.getByVirtualMachine(group, vm, name, { expand: 'instanceView' }));
      if (one === undefined) return undefined;
      const view = one.instanceView;
      return {
        provisioning: one.provisioningState ?? 'Unknown',
        state: (view?.executionState ?? 'Unknown') as CommandView['state'],
        exitCode: view?.exitCode,
        message: view?.executionMessage ?? '',
        output: view?.output ?? '',
        error: view?.error ?? '',
      };
    },
    async remove(vm, name) {
      try {
        await start({ kind: 'run-command', name }, () => commands.delete(group, vm, name));
      } catch (error) {
        // Whatever else it says: who waits for it to be gone asks again.
        refusal(error);
      }
    },
  };
}

/** Asynchronous: the resource is made at once, and says itself how its script stands. */
const body = (location: string, command: ManagedCommand) => ({
  location,
  source: { script: command.script },
  parameters: [...command.parameters],
  protectedParameters: [...command.protectedParameters],
  asyncExecution: true,
  treatFailureAsDeploymentFailure: false,
  timeoutInSeconds: command.timeout,
  outputBlobUri: command.stdoutUrl,
  errorBlobUri: command.stderrUrl,
  ...(command.user === undefined ? {} : { runAsUser: command.user }),
  ...(command.password === undefined ? {} : { runAsPassword: command.password }),
});
