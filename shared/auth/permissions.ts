import { z } from 'zod';

/** Each role may do what those before it may. */
export const Role = z.enum(['reader', 'deployer', 'operator', 'admin']);
export type Role = z.infer<typeof Role>;

/** The least role that each permission asks for. `null`: nobody needs to say who they are. */
const leastRole = {
  /** The description of the API itself. */
  anyone: null,
  'status.read': 'reader',
  'applications.read': 'reader',
  'applications.write': 'deployer',
  /** Works inside containers: commands, files, connections. Whoever deploys could do as much with an image of his own. */
  'applications.exec': 'deployer',
  'routes.read': 'reader',
  /** Certificates and their keys, and the ingress itself. */
  'routes.admin': 'operator',
  'jobs.run': 'deployer',
  /** That there are secrets, and who uses them: no one is given a value. */
  'secrets.read': 'reader',
  'secrets.write': 'deployer',
  /** With what was written to them. */
  'volumes.delete': 'operator',
  /** What containers may beyond their own. */
  'environments.admin': 'admin',
  'logs.read': 'reader',
  /** For how long they are kept. */
  'logs.admin': 'operator',
  'machines.read': 'reader',
  /** Makes, changes and removes machines, and runs commands on them: whoever may is root there. */
  'machines.operate': 'operator',
  'images.pull': 'reader',
  'images.push': 'deployer',
  'images.delete': 'operator',
  /** Policies of repositories: whether everybody may pull, what is kept, whose signature is asked for. */
  'images.admin': 'admin',
  'events.read': 'reader',
  /** Hooks may give any command, so making one is more than giving commands. */
  'hooks.read': 'operator',
  'hooks.write': 'operator',
  'deadletters.read': 'operator',
  'deadletters.replay': 'operator',
  'keys.read': 'admin',
  'keys.write': 'admin',
} as const satisfies Record<string, Role | null>;

export type Permission = keyof typeof leastRole;
export const permissions = Object.keys(leastRole) as readonly Permission[];

/** The least role that holds this permission; undefined if it asks for none. */
export const roleFor = (permission: Permission): Role | undefined => leastRole[permission] ?? undefined;

export function allows(roles: readonly Role[], permission: Permission): boolean {
  const least = roleFor(permission);
  if (least === undefined) return true;
  return roles.some((role) => Role.options.indexOf(role) >= Role.options.indexOf(least));
}
