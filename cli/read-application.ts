import type { ApplicationSpec } from '../shared/model/application.ts';
import { Invalid } from '../shared/model/invalid.ts';
import { parseApplication } from '../shared/model/parse-application.ts';
import { withConfigFiles } from './config-files.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { readNamedText } from './named-file.ts';

/**
 * A berth.yaml with the files that its configs name. `-` is standard input.
 * @throws Failure `file-unreadable`, and what is wrong with it
 */
export function readApplication(file: string): { readonly text: string; readonly spec: ApplicationSpec } {
  const text = readNamedText(
    file,
    'Name the application with -f FILE; docs/berth.yaml shows one with every key.',
  );
  return { text, spec: withConfigFiles(parseFile(text, file), text, file) };
}

/** @throws Failure with `file:line:column: where: what was expected` for each fault, as editors read it */
function parseFile(text: string, file: string): ApplicationSpec {
  try {
    return parseApplication(text);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const faults = error.issues.map(
      ({ line, column, path, message }) =>
        `${file}:${line ?? 1}:${column ?? 1}: ${path === '' ? '' : `${path}: `}${message}`,
    );
    throw new Failure({
      code: error.code,
      message: faults.join('\n'),
      remedy: error.remedy,
      exitCode: exitCodes.usage,
    });
  }
}
