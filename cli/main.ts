import { Command, CommanderError } from 'commander';
import { version } from '../shared/api/version.ts';
import { addAccess } from './commands/access.ts';
import { addAllowances } from './commands/allowances.ts';
import { addApply } from './commands/apply.ts';
import { addCopy } from './commands/copy.ts';
import { addDeploy } from './commands/deploy.ts';
import { addDestroy } from './commands/destroy.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addExec } from './commands/exec.ts';
import { addImages } from './commands/images.ts';
import { addImport } from './commands/import.ts';
import { addInit } from './commands/init.ts';
import { addJobs } from './commands/jobs.ts';
import { addKeys } from './commands/keys.ts';
import { addLogs } from './commands/logs.ts';
import { addMachines } from './commands/machines.ts';
import { addPlan } from './commands/plan.ts';
import { addPools } from './commands/pools.ts';
import { addPs } from './commands/ps.ts';
import { addPush } from './commands/push.ts';
import { addRegistry } from './commands/registry.ts';
import { addRollout } from './commands/rollout.ts';
import { addRoutes } from './commands/routes.ts';
import { addRun } from './commands/run.ts';
import { addSecrets } from './commands/secrets.ts';
import { addServiceVerbs } from './commands/services.ts';
import { addStatus } from './commands/status.ts';
import { addTop } from './commands/top.ts';
import { addTunnel } from './commands/tunnel.ts';
import { addVersion } from './commands/version.ts';
import { addVolumes } from './commands/volumes.ts';
import { addWhy } from './commands/why.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { harmless } from './output.ts';

const program = new Command('berth')
  .description('A container data centre on Azure with no server to run.')
  .version(version)
  .option('-e, --environment <name>', 'environment', process.env.BERTH_ENVIRONMENT || 'dev')
  .option('--json', 'data as JSON on stdout')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Where Berth is: BERTH_URL, BERTH_KEY and BERTH_CA, or the nearest .berth/client.json upward from here.
Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 not reachable, 6 waiting for an image.`,
  )
  .exitOverride();

addStatus(program);
addInit(program);
addImport(program);
addDeploy(program);
addPlan(program);
addApply(program);
addPs(program);
addLogs(program);
addExec(program);
addRun(program);
addCopy(program);
addTunnel(program);
addTop(program);
addJobs(program);
addServiceVerbs(program);
addDestroy(program);
addRollout(program);
addSecrets(program);
addVolumes(program);
addRoutes(program);
addAllowances(program);
addMachines(program);
addPools(program);
addImages(program);
addPush(program);
addRegistry(program);
addEvents(program);
addKeys(program);
addAccess(program);
addWhy(program);
addDoctor(program);
addVersion(program);
inherit(program);

/** Commands copy exitOverride only when they are made after it, and groups of commands without a verb show their help. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    inherit(child);
  }
}

/** A reader that has had enough (`berth events | head`) is no fault. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = end(error);
}

/** Says why the command ends, and gives its exit code. With --json the reason is JSON too, on stderr. */
function end(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const failure =
    error instanceof Failure
      ? error
      : new Failure({
          code: 'internal-error',
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
          exitCode: exitCodes.failed,
        });
  const { code, message, remedy } = failure;
  if (program.opts<{ json?: boolean }>().json === true)
    process.stderr.write(`${JSON.stringify({ code, message, remedy })}\n`);
  else
    process.stderr.write(
      `berth: ${message.split('\n').map(harmless).join('\n')}\n${remedy === undefined ? '' : `  → ${harmless(remedy)}\n`}`,
    );
  return failure.exitCode;
}
