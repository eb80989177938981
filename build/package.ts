import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { type Zippable, zipSync } from 'fflate';
import { dependencyClosure, manifestOf } from './dependency-closure.ts';

/**
 * `npm run package`: the folder dist/package and dist/berth.zip that go to Azure. Everything is one bundle but the
 * programming model, which the Functions worker and the app must share: it lies in the package's node_modules, once.
 */
const CHECKOUT = resolve(import.meta.dirname, '..');
const OUT = join(CHECKOUT, 'dist/package');
const SHARED_WITH_WORKER = ['@azure/functions', 'durable-functions'];

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
await build({
  entryPoints: [join(CHECKOUT, 'functions/main.ts')],
  outfile: join(OUT, 'main.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  sourcemap: 'linked',
  external: [...SHARED_WITH_WORKER, '@azure/functions-core'],
  // Bundled CommonJS asks for require, which an ES module has not by itself.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
for (const folder of dependencyClosure(SHARED_WITH_WORKER, CHECKOUT))
  cpSync(folder, join(OUT, relative(CHECKOUT, folder)), {
    recursive: true,
    filter: (path) => !path.endsWith('.map') && !path.endsWith('.d.ts'),
  });
cpSync(join(CHECKOUT, 'host.json'), join(OUT, 'host.json'));
const { version } = manifestOf(CHECKOUT);
const dependencies = Object.fromEntries(
  SHARED_WITH_WORKER.map((name) => [name, manifestOf(join(CHECKOUT, 'node_modules', name)).version]),
);
writeFileSync(
  join(OUT, 'package.json'),
  `${JSON.stringify({ name: 'berth', version, private: true, type: 'module', main: 'main.mjs', dependencies }, null, 2)}\n`,
);

const files: Zippable = {};
for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' }).sort()) {
  const path = join(OUT, name);
  // One date for all: the same sources give the same zip.
  if (statSync(path).isFile())
    files[name] = [readFileSync(path), { mtime: new Date('2000-01-01T00:00:00Z') }];
}
const zip = zipSync(files, { level: 9 });
writeFileSync(join(CHECKOUT, 'dist/berth.zip'), zip);
const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
console.log(`dist/package    the function app: main.mjs ${mebibytes(statSync(join(OUT, 'main.mjs')).size)}`);
console.log(
  `dist/berth.zip  the same as it is uploaded: ${mebibytes(zip.length)}, ${Object.keys(files).length} files`,
);
