import type { Command } from 'commander';
import { addCopy } from './images/copy.ts';
import { addDelete } from './images/delete.ts';
import { addImport } from './images/import.ts';
import { addList } from './images/list.ts';
import { addRestore } from './images/restore.ts';
import { addShow } from './images/show.ts';
import { addTag } from './images/tag.ts';
import { addUsage } from './images/usage.ts';
import { addVerify } from './images/verify.ts';

/** Puts the verbs together: each has a file in `images/` and a line here. */
const verbs: readonly ((images: Command) => void)[] = [
  addList,
  addShow,
  addTag,
  addCopy,
  addImport,
  addDelete,
  addRestore,
  addUsage,
  addVerify,
];

export function addImages(program: Command): void {
  const images = program.command('images').description('images in the registry');
  for (const add of verbs) add(images);
}
