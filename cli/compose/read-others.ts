import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { issueText } from '../../shared/compose/faults.ts';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { isMarathon, mapMarathon } from '../../shared/formats/marathon.ts';
import { mapProcfile } from '../../shared/formats/procfile.ts';
import { Invalid } from '../../shared/model/invalid.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { ComposeOptions } from './read-compose.ts';

/** A Procfile, or an app or group of Marathon; undefined for what is neither. @throws Failure as for compose files */
export function readOthers(file: string, options: ComposeOptions): MappedProject | undefined {
  const isProcfile = /procfile/i.test(basename(file));
  if (!isProcfile && !/\.json$/i.test(file)) return undefined;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const { ignore: ignored, projectName } = options;
  try {
    if (!isProcfile)
      return isMarathon(text) ? mapMarathon(text, file, { name: projectName, ignored }) : undefined;
    const beside = join(dirname(file), 'Dockerfile');
    const dockerfile = existsSync(beside) ? readFileSync(beside, 'utf8') : undefined;
    return mapProcfile({ file, text, name: projectName ?? basename(resolve(dirname(file))), dockerfile });
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const { code, issues, remedy } = error;
    throw new Failure({ code, message: issues.map(issueText).join('\n'), remedy, exitCode: exitCodes.usage });
  }
}
