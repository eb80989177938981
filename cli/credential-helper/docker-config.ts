import { z } from 'zod';

/** As in the name `docker-credential-berth`. */
const HELPER = 'berth';

/** What of docker's configuration file concerns us; everything else stays as it is. */
const DockerConfig = z.looseObject({ credHelpers: z.record(z.string(), z.string()).optional() });

export type ConfigChange =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly text: string }
  /** Another helper answers for one of the hosts already. */
  | { readonly kind: 'taken'; readonly host: string; readonly helper: string }
  | { readonly kind: 'malformed'; readonly why: string };

/**
 * Docker's configuration with our helper for these hosts (`credHelpers`), which counts before `credsStore` and `auths`.
 * @param text of config.json; undefined if there is none
 * @param force in place of another helper too
 */
export const withHelper = (
  text: string | undefined,
  hosts: readonly string[],
  force: boolean,
): ConfigChange =>
  change(text, (helpers) => {
    for (const host of hosts) {
      const other = helpers[host];
      if (other !== undefined && other !== HELPER && !force) return { kind: 'taken', host, helper: other };
    }
    return { ...helpers, ...Object.fromEntries(hosts.map((host) => [host, HELPER])) };
  });

/** The same without it; what other helpers answer for stays. */
export const withoutHelper = (text: string | undefined, hosts: readonly string[]): ConfigChange =>
  change(text, (helpers) =>
    Object.fromEntries(
      Object.entries(helpers).filter(([host, helper]) => helper !== HELPER || !hosts.includes(host)),
    ),
  );

function change(
  text: string | undefined,
  next: (helpers: Readonly<Record<string, string>>) => Record<string, string> | ConfigChange,
): ConfigChange {
  const parsed = parse(text);
  if ('why' in parsed) return { kind: 'malformed', why: parsed.why };
  const { credHelpers = {}, ...rest } = parsed.config;
  const helpers = next(credHelpers);
  if (isChange(helpers)) return helpers;
  if (JSON.stringify(helpers) === JSON.stringify(credHelpers)) return { kind: 'unchanged' };
  const config = Object.keys(helpers).length === 0 ? rest : { ...parsed.config, credHelpers: helpers };
  // As docker writes it, unless the file is indented otherwise.
  const indent = /^\{\s*\n([ \t]+)/.exec(text ?? '')?.[1] ?? '\t';
  return { kind: 'changed', text: `${JSON.stringify(config, undefined, indent)}\n` };
}

const isChange = (value: Record<string, string> | ConfigChange): value is ConfigChange =>
  'kind' in value && value.kind === 'taken';

function parse(text: string | undefined): { config: z.infer<typeof DockerConfig> } | { why: string } {
  if (text === undefined || text.trim() === '') return { config: {} };
  try {
    const value: unknown = JSON.parse(text);
    const parsed = DockerConfig.safeParse(value);
    // What was parsed first: the schema's own copy has another order.
    return parsed.success
      ? { config: value as z.infer<typeof DockerConfig> }
      : { why: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}
