import type { Command } from 'commander';
import { addAudit } from './registry/audit.ts';
import { addCare } from './registry/care.ts';
import { addLogin } from './registry/login.ts';
import { addPolicies } from './registry/policies.ts';
import { addQuota } from './registry/quota.ts';
import { addReplications } from './registry/replications.ts';
import { addSources } from './registry/sources.ts';
import { addSubscriptions } from './registry/subscriptions.ts';
import { addTokenKeys } from './registry/token-keys.ts';
import { addTrash } from './registry/trash.ts';

/** Puts the nouns of the registry's care together: each has a file in `registry/` and a line here. */
const nouns: readonly ((registry: Command) => void)[] = [
  addTokenKeys,
  addLogin,
  addPolicies,
  addCare,
  addQuota,
  addTrash,
  addAudit,
  addSubscriptions,
  addReplications,
  addSources,
];

export function addRegistry(program: Command): void {
  const registry = program.command('registry').description('what the registry keeps, tells and fetches');
  for (const add of nouns) add(registry);
}
