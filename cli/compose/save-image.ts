import { spawnSync } from 'node:child_process';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Builder } from './builder.ts';

/** @throws Failure `image-not-in-engine` */
export function saveImage(builder: Builder, image: string, file: string): void {
  const { error, status, stderr } = spawnSync(builder, ['save', '--output', file, image], {
    encoding: 'utf8',
  });
  if (error === undefined && status === 0) return;
  throw new Failure({
    code: 'image-not-in-engine',
    message: `${builder} cannot give the image ${image} that it built: ${(error?.message ?? stderr).trim()}`,
    exitCode: exitCodes.failed,
  });
}
