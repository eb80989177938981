import type { Command } from 'commander';
import { addAudit } from './registry/audit.ts';
import { addLogin } from './registry/login.ts';
import { addPolicies } from './registry/policies.ts';
import { addSources } from './registry/sources.ts';
import { addSubscriptions } from './registry/subscriptions.ts';
import { addLogin } from './registry/login.ts';
import { addTokenKeys } from './registry/token-keys.ts';

/** Puts the nouns of the registry's care together: each has a file in `registry/` and a line here. */
const nouns: readonly ((registry: Command) => void)[] = [
  addTokenKeys,
  addLogin,
  addPolicies,
  addAudit,
  addSubscriptions,
  addSources,
];

export function addRegistry(program: Command): void {
  const registry = program.command('registry').description('what the registry keeps, tells and fetches');
  for (const add of nouns) add(registry);
}
