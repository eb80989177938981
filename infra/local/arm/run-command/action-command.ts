import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, invalidParameter } from '../requests/arm-error.ts';
import type { ArmReply, ArmRequest, Route } from '../requests/arm-request.ts';
import { parseBody } from '../requests/bodies.ts';
import { existing } from '../resources/lookup.ts';
import { nameOf, typeOf } from '../resources/resource.ts';
import { type Executions, enableMessage } from './executions.ts';

/** https://learn.microsoft.com/rest/api/compute/virtual-machines/run-command */
const Body = z.looseObject({
  commandId: z.string(),
  script: z.array(z.string()).optional(),
  parameters: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
});

/** Azure's limit for this kind, seconds. */
const TIMEOUT = 90 * 60;

/** The older Run Command: one script at a time in a VM, and the end of its output once it has ended. */
export function actionCommandRoutes(arm: Arm, made: Executions): readonly Route[] {
  const { operations } = arm;
  operations.define('vm.action.run', {
    async run({ resource, input }) {
      const vm = arm.resources.find('vm', vmOf(resource));
      if (vm === undefined) throw new ArmError(404, 'NotFound', 'The virtual machine is not there any more.');
      const isWanted = () => arm.resources.find('vm', vm.id) !== undefined;
      const ended = await made.follow(nameOf(vm.id), String(input.folder), isWanted);
      const succeeded = ended.state === 'Succeeded';
      return {
        value: [
          {
            code: `ProvisioningState/${succeeded ? 'succeeded' : `failed/${ended.exitCode}`}`,
            level: succeeded ? 'Info' : 'Error',
            displayStatus: `Provisioning ${succeeded ? 'succeeded' : 'failed'}`,
            message: enableMessage(ended),
          },
        ],
      };
    },
  });

  const starting = new Set<string>();
  const run = async (request: ArmRequest): Promise<ArmReply> => {
    const vm = existing(arm, request, 'vm');
    const { commandId, script, parameters } = parseBody(Body, request.body);
    if (commandId.toLowerCase() !== 'runshellscript')
      throw invalidParameter(
        'commandId',
        `The entity was not found: the local data centre has RunShellScript only, not '${commandId}'.`,
      );
    if (script === undefined || script.length === 0)
      throw invalidParameter('script', 'RunShellScript needs the lines of a script.');
    await made.requireRunning(vm);
    const resource = `${vm.id}/runCommand`;
    if (starting.has(resource) || operations.busy(resource))
      throw new ArmError(
        409,
        'Conflict',
        'Run command extension execution is in progress. Please wait for completion before invoking a run command.',
      );
    const folder = `/var/lib/waagent/run-command/download/${made.children.nextSequence()}`;
    starting.add(resource);
    try {
      await made.begin(vm.name, folder, {
        log: '/var/log/azure/run-command/handler.log',
        timeout: TIMEOUT,
        script: Buffer.from(`${script.join('\n')}\n`).toString('base64'),
        arguments: parameters.map(({ value }) => `'${value.replaceAll("'", "'\\''")}'`),
        environment: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
      });
      const operation = operations.begin('vm.action.run', resource, { folder }, request.fault);
      return { status: 202, operation };
    } finally {
      starting.delete(resource);
    }
  };

  const template = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vm}/{name}/runCommand`;
  return [{ method: 'POST', template, fault: 'runCommand.action', handle: run }];
}

const vmOf = (resource: string): string => resource.slice(0, resource.lastIndexOf('/'));
