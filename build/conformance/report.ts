import { type Results, totalOf } from './results.ts';

/** What ran, besides the results. */
export interface Circumstances {
  readonly go: string;
  /** Editions that could not be had, with the reason. */
  readonly missing: readonly string[];
  /** Editions that were built from a checkout instead of Go's module. */
  readonly fromSource: readonly string[];
}

/** docs/registry-conformance.md. */
export const reportOf = (all: readonly Results[], { go, missing, fromSource }: Circumstances): string =>
  `# Conformance of the registry

Written by \`npm run conformance:registry -- --write\` from the suites' own reports. The command starts the registry alone (\`npm run registry\`) on Azurite, builds the official suite of OCI Distribution with Go at a pinned commit and runs all of it against the registry, over HTTP, with an API key as the credential.

Go: \`${go.replace(/^go version /, '')}\`. Node.js: \`${process.version}\`.

${all.map((results) => sectionOf(results, fromSource)).join('\n')}${missing.length === 0 ? '' : `\nNot run: ${missing.join(', ')}.\n`}
## The command

\`\`\`
npm run conformance:registry                            every edition that Go can get
npm run conformance:registry -- --source <checkout>     v1.1.1 from a checkout of the specification's repository at that tag
npm run conformance:registry -- --write                 writes this page
\`\`\`

| exit code | meaning                                                                     |
| --------- | --------------------------------------------------------------------------- |
| 0         | everything that ran has passed; what was skipped has one of the reasons above |
| 1         | a test failed, or was skipped for no reason that is known                     |
| 2         | the command was not understood                                                |
| 3         | there is no Go on this computer                                               |
| 4         | no edition could be built                                                     |

The module of v1.1.1 has no tag of its own, and a Go proxy need not keep a commit without one: where it does not, the command says so, and \`--source\` takes a checkout, which must be at exactly that commit and unchanged.
`;

function sectionOf(results: Results, fromSource: readonly string[]): string {
  const { suite, parts, failed, skipped } = results;
  const total = totalOf(results);
  const built = fromSource.includes(suite.name) ? 'a checkout' : `the module's version \`${suite.version}\``;
  const rows = [...parts, { ...total, name: '**all**' }].map(
    (part) => `| ${part.name} | ${part.passed} | ${part.failed} | ${part.skipped} |`,
  );
  return `## ${suite.name}

Commit \`${suite.commit}\`, built from ${built}.

| | passed | failed | skipped |
| --- | --- | --- | --- |
${rows.join('\n')}
${listOf('Failed', failed)}${listOf(
  'Skipped',
  skipped.map(({ name, reason }) => `${name}: ${reason ?? 'no reason is known'}`),
)}`;
}

const listOf = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n${title}:\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`;
