import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ApplicationSpec } from '../shared/model/application.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/**
 * The application with the content of those configs that are files.
 * @param file the berth.yaml, beside which they lie; `-`: the working directory
 * @throws Failure `file-unreadable`
 */
export function withConfigFiles(spec: ApplicationSpec, file: string): ApplicationSpec {
  const folder = file === '-' ? process.cwd() : dirname(resolve(file));
  const configs = Object.fromEntries(
    Object.entries(spec.configs).map(([name, config]) => {
      if (config.file === undefined) return [name, config];
      const path = resolve(folder, config.file);
      try {
        return [name, { content: readFileSync(path).toString('base64'), encoding: 'base64' as const }];
      } catch (error) {
        throw new Failure({
          code: 'file-unreadable',
          message: `${file}: configs.${name}.file: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
          remedy: `Write the path as it is from ${folder}.`,
          exitCode: exitCodes.usage,
        });
      }
    }),
  );
  return { ...spec, configs };
}
