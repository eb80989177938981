import { type MappedProject, mapProject } from '../../../shared/compose/map/map-project.ts';
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
