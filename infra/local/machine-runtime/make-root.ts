import type { AptSettings } from './apt-settings.ts';
import type { BaseRecipe } from './base-recipe.ts';
import { type CommandOptions, run } from './command.ts';

/**
 * Makes a root file system of Debian packages with mmdebstrap, where and how the recipe's format says.
 * @param target path of the archive or folder
 */
export const makeRoot = (
  recipe: BaseRecipe,
  target: string,
  apt: AptSettings,
  options: Omit<CommandOptions, 'input'>,
): Promise<string> =>
  run(
    'mmdebstrap',
    [
      ...recipe.options,
      `--include=${recipe.packages.join(',')}`,
      ...apt.options.map((option) => `--aptopt=${option}`),
      `--customize-hook=chroot "$1" sh -c '${recipe.script}'`,
      recipe.release,
      target,
      ...(apt.sources === '' ? [] : ['-']),
    ],
    { ...options, input: apt.sources },
  );
