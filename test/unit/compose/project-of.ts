import { type ComposeProject, type ProjectInput, readProject } from '../../../shared/compose/project.ts';
import { plain } from '../../../shared/compose/tree.ts';
import type { Issue } from '../../../shared/model/invalid.ts';
import { Invalid } from '../../../shared/model/invalid.ts';

type Files = Readonly<Record<string, string>>;
type More = Partial<Omit<ProjectInput, 'read' | 'workingDirectory'>>;

/** A project from files that are given as texts. */
export const projectOf = (files: Files | string, more: More = {}): ComposeProject => {
  const texts: Files = typeof files === 'string' ? { 'compose.yaml': files } : files;
  return readProject({
    files: ['compose.yaml'],
    workingDirectory: '/home/me/shop',
    profiles: [],
    environment: { HOME: '/home/me' },
    read: (path) => texts[path],
    ...more,
  });
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of any form
export const treeOf = (files: Files | string, more: More = {}): any => plain(projectOf(files, more).tree);

/** What a project is refused for, as `file:line:column path message`. */
export function faultsOf(files: Files | string, more: More = {}): readonly string[] {
  try {
    projectOf(files, more);
  } catch (error) {
    if (error instanceof Invalid) return error.issues.map(faultText);
    throw error;
  }
  return [];
}

export const faultText = ({ file, line, column, path, message }: Issue): string =>
  `${file}:${line}:${column} ${path} ${message}`;
