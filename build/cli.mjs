/**
 * Bundles the command line to dist/cli/berth.mjs and docker's credential helper to dist/cli/docker-credential-berth.mjs, each
 * one file that Node.js 20 runs. `npm install` calls this (script
 * `prepare`); plain JavaScript, since it must run on the Node.js that is installed, whichever that is.
 */
import { chmod, lstat, mkdir, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = `${root}dist/cli`;
const programs = { berth: 'cli/main.ts', 'docker-credential-berth': 'cli/credential-helper/main.ts' };

let esbuild;
try {
  esbuild = await import('esbuild');
} catch {
  console.error(
    'esbuild is not installed (npm ci --omit=dev leaves it out): the berth command is not built.',
  );
  process.exit(0);
}

await mkdir(directory, { recursive: true });
await esbuild.build({
  entryPoints: Object.fromEntries(Object.entries(programs).map(([name, file]) => [name, `${root}${file}`])),
  outdir: directory,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  /** commander is CommonJS and requires Node's modules. */
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

for (const name of Object.keys(programs)) {
  await chmod(`${directory}/${name}.mjs`, 0o755);
  /** npm links the commands of dependencies, not those of the checkout itself: `npx berth` finds this one. */
  const link = `${root}node_modules/.bin/${name}`;
  await mkdir(dirname(link), { recursive: true });
  if ((await lstat(link).catch(() => undefined)) === undefined)
    await symlink(`../../dist/cli/${name}.mjs`, link);
}
