import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { applyPlan } from '../../shared/api/routes/plans.ts';
import { DeploymentPlan } from '../../shared/model/plan.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { planText } from '../plan-text.ts';
import { type GlobalOptions, withSession } from '../session.ts';
import { watchRollout } from '../watch-rollout.ts';
import { wholeSeconds } from '../whole-number.ts';

interface Options {
  readonly wait: boolean;
  readonly timeout: number;
}

export const addApply = (program: Command): Command =>
  program
    .command('apply')
    .description('deploys exactly what a plan says, and waits until its services run')
    .argument('<plan>', 'a file that berth plan --out wrote')
    .option('--no-wait', 'return when the deployment was accepted')
    .option('--timeout <seconds>', 'how long to wait for the rollout', wholeSeconds, 600)
    .action((file: string, { wait, timeout }: Options, command: Command) => {
      const plan = planFrom(file);
      const { environment: asked } = command.optsWithGlobals<GlobalOptions>();
      if (command.parent?.getOptionValueSource('environment') === 'cli' && asked !== plan.environment)
        throw new Failure({
          code: 'plan-differs',
          message: `${file} is a plan for environment ${plan.environment}, not for ${asked}.`,
          remedy: `Leave --environment out, or make a plan for ${asked}.`,
          exitCode: exitCodes.usage,
        });
      return withSession(command, async (given) => {
        const session = { ...given, environment: plan.environment };
        const { client, output } = session;
        output.say(planText(plan, output.paint));
        if (plan.empty) return output.data({ empty: true }, () => 'There is nothing to apply.');
        const accepted = await client.call(applyPlan, {
          params: { environment: plan.environment, application: plan.application },
          json: plan,
        });
        output.say(`${plan.application}: accepted in environment ${plan.environment}`);
        if (!wait) return output.data(accepted, () => accepted.location);
        await watchRollout(session, plan.spec, accepted.event.hash, timeout);
      });
    });

function planFrom(file: string): DeploymentPlan {
  const wrong = (why: string): Failure =>
    new Failure({
      code: 'plan-invalid',
      message: `${file} is not a plan of berth: ${why}`,
      remedy: 'Make one with: berth plan FILE --out plan.json',
      exitCode: exitCodes.usage,
    });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  const parsed = DeploymentPlan.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`${issue?.path.join('.') || 'document'}: ${issue?.message}`);
}
