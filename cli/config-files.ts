import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { issueText } from '../shared/compose/faults.ts';
import type { ApplicationSpec } from '../shared/model/application.ts';
import { placeIn } from '../shared/model/parse-yaml.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/**
 * The application with the content of those configs that are files.
 * @param text of the berth.yaml
 * @param file the berth.yaml, beside which they lie; `-`: the working directory
 * @throws Failure `file-unreadable`, each at its place in the berth.yaml
 */
export function withConfigFiles(spec: ApplicationSpec, text: string, file: string): ApplicationSpec {
  const folder = file === '-' ? process.cwd() : dirname(resolve(file));
  const faults: string[] = [];
  const configs = Object.fromEntries(
    Object.entries(spec.configs).map(([name, config]) => {
      if (config.file === undefined) return [name, config];
      const path = resolve(folder, config.file);
      try {
        return [name, { content: readFileSync(path).toString('base64'), encoding: 'base64' as const }];
      } catch (error) {
        const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
        const place = placeIn(text, ['configs', name, 'file']);
        faults.push(issueText({ file, ...place, path: `configs.${name}.file`, message }));
        return [name, config];
      }
    }),
  );
  if (faults.length > 0)
    throw new Failure({
      code: 'file-unreadable',
      message: faults.join('\n'),
      remedy: `Write the path as it is from ${folder}.`,
      exitCode: exitCodes.usage,
    });
  return { ...spec, configs };
}
