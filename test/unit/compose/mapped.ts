import type { MappedProject } from '../../../shared/compose/map/conclude.ts';
import { mapProject } from '../../../shared/compose/map/map-project.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import { faultText, projectOf } from './project-of.ts';

type Files = Readonly<Record<string, string>>;

interface More {
  readonly ignored?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export function mappedOf(files: Files | string, { ignored = [], ...more }: More = {}): MappedProject {
  const texts: Files = typeof files === 'string' ? { 'compose.yaml': files } : files;
  return mapProject(projectOf(texts, more), ignored, (path) => texts[path]);
}

/** What a project is refused for. */
export function refusalsOf(files: Files | string, more: More = {}): readonly string[] {
  try {
    mappedOf(files, more);
  } catch (error) {
    if (error instanceof Invalid) return error.issues.map(faultText);
    throw error;
  }
  return [];
}

/** A file with one service, `web`, that has these keys; and what services may name. */
export const withWeb = (keys: string, top = ''): string =>
  `services:\n  web:\n    image: x\n${keys.replace(/^/gm, '    ')}\n  db: {image: y}\n${top}`;

/** A service of the application, without what each gets where nothing is said. */
export function serviceOf(
  { application }: MappedProject,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const { resources, ...service } = application.services[name] ?? {};
  const said = Object.entries((resources as Record<string, unknown> | undefined) ?? {}).filter(
    ([key, value]) => !(key === 'cpu' && value === 0.25) && !(key === 'memory' && value === 512),
  );
  return said.length === 0 ? service : { ...service, resources: Object.fromEntries(said) };
}
