import { spawnSync } from 'node:child_process';

/** `npm run check`: types, lint and format, import rules, dead code. Every check runs; one that fails fails the whole. */
const checks = [
  ['types', 'tsc', ['-p', '.']],
  ['lint and format', 'biome', ['ci', '--error-on-warnings', '--colors=off', '.']],
  ['import rules', 'depcruise', ['functions', 'shared', 'infra', 'cli', 'bench']],
  ['dead code', 'knip', []],
] as const;

const failed = checks.filter(([title, program, args]) => {
  const began = Date.now();
  const { status } = spawnSync(`node_modules/.bin/${program}`, [...args], { stdio: 'inherit' });
  console.log(`${status === 0 ? '✓' : '✗'} ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`check failed: ${failed.map(([title]) => title).join(', ')}`);
  process.exitCode = 1;
}
