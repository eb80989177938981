import type { z } from 'zod';

/** Services that wait for each other would wait for ever, and so would one that waits for nobody's service. */
export function checkDependencies(
  services: Readonly<Record<string, { readonly dependsOn?: readonly string[] | undefined }>>,
  context: z.core.$RefinementCtx,
): void {
  const refuse = (service: string, message: string) =>
    context.addIssue({ code: 'custom', path: [service, 'dependsOn'], message, input: services });
  const names = Object.keys(services);
  for (const [service, { dependsOn = [] }] of Object.entries(services))
    for (const name of dependsOn)
      if (!Object.hasOwn(services, name))
        refuse(service, `expected services of this application (${names.join(', ')}), not ${name}`);
  for (const cycle of cyclesOf(services))
    refuse(
      cycle[0] ?? '',
      `expected services that do not wait for each other (${[...cycle, cycle[0]].join(' → ')})`,
    );
}

/** Each cycle once, from its first name in the order of the file. */
function cyclesOf(
  services: Readonly<Record<string, { readonly dependsOn?: readonly string[] | undefined }>>,
): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]) => {
    const at = path.indexOf(name);
    if (at >= 0) cycles.push(path.slice(at));
    if (at >= 0 || done.has(name)) return;
    for (const next of services[name]?.dependsOn ?? []) walk(next, [...path, name]);
    done.add(name);
  };
  for (const name of Object.keys(services)) walk(name, []);
  return cycles;
}
