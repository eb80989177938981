import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readProject } from '../../../shared/compose/project.ts';
import { plain } from '../../../shared/compose/tree.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import { buildComposeGo, type ComposeGo } from '../../support/compose-go.ts';
import { composeService, others, resources } from '../../support/compose-services.ts';
import { long, seed } from '../../support/sample.ts';
import { hasProgram } from '../../support/tool.ts';
import { differences } from './differences.ts';

const environment = { HOME: '/home/me', FOO: 'foo', EMPTY: '', PORT: '8080' };
type Files = Readonly<Record<string, string>>;

/** The same files, read by docker compose's own reader and by ours. */
describe.skipIf(!long || !hasProgram('go'))('beside compose-go v2 (in the long tests, with Go)', () => {
  const root = mkdtempSync(join(tmpdir(), 'test-compose-go-'));
  let reader: ComposeGo;
  beforeAll(() => {
    reader = buildComposeGo();
  });
  afterAll(() => {
    reader?.remove();
    rmSync(root, { recursive: true, force: true });
  });

  /** What each makes of the service `web` of each project: its fields, or what it is refused for. */
  function both(projects: readonly Files[]) {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const asked = projects.map((texts, index) => {
      const directory = mkdtempSync(join(root, `${index}-`));
      for (const [name, text] of Object.entries(texts)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
      const files = ['compose.yaml', ...('over.yaml' in texts ? ['over.yaml'] : [])];
      return { directory, files, profiles: [], variables };
    });
    const answers = reader.read(asked);
    return asked.map(({ directory, files }, index) => ({
      files: projects[index],
      directory,
      ours: readHere(directory, files),
      theirs: answers[index]?.project?.services.web ?? `refused: ${answers[index]?.error}`,
    }));
  }

  function readHere(directory: string, files: readonly string[]): object | string {
    const read = (path: string) => {
      try {
        return readFileSync(join(directory, path), 'utf8');
      } catch {
        return undefined;
      }
    };
    try {
      const project = readProject({
        files,
        workingDirectory: directory,
        profiles: [],
        name: 'oracle',
        environment,
        read,
      });
      const web = project.services.get('web');
      return web === undefined ? {} : (plain(web) as object);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      return `refused: ${error.issues.map(({ message }) => message).join(' ')}`;
    }
  }
  const isRefused = (answer: unknown): answer is string => typeof answer === 'string';
  /** Berth refuses a variable that is not set and has no default; docker compose takes an empty text. */
  const isStrict = (answer: unknown) => isRefused(answer) && answer.includes('is not set');
  const sampled = <T>(arbitrary: fc.Arbitrary<T>) => fc.sample(arbitrary, { seed, numRuns: 1_000 });

  const name = fc.constantFrom('FOO', 'EMPTY', 'NONE', 'PORT', 'A', '_x1');
  const { text } = fc.letrec<{ text: string; part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.stringMatching(/^[a-z0-9 .:/@#=,-]{0,6}$/),
      name.map((one) => `\${${one}}`),
      name.map((one) => `$${one}`),
      fc.constant('$$'),
      fc
        .tuple(name, fc.constantFrom(':-', '-', ':+', '+', ':?', '?'), tie('text'))
        .map(([one, operator, usual]) => `\${${one}${operator}${usual}}`),
    ),
    text: fc.array(tie('part'), { maxLength: 3 }).map((parts) => parts.join('')),
  }));

  it('variables become the same', () => {
    const projects = sampled(text).map((value) => ({
      'compose.yaml': JSON.stringify({ services: { web: { image: 'x', environment: { V: `<${value}>` } } } }),
    }));
    for (const { files, ours, theirs } of both(projects)) {
      if (isStrict(ours)) continue;
      if (isRefused(ours) || isRefused(theirs))
        expect({ files, refused: isRefused(ours) }).toEqual({ files, refused: isRefused(theirs) });
      else expect({ files, ...ours }).toMatchObject({ files, environment: theirs.environment });
    }
  });

  it('files of variables become the same', () => {
    const value = fc.oneof(
      fc.stringMatching(/^[a-z0-9 .:/@#=,'"$\\{}-]{0,8}$/),
      fc.stringMatching(/^"[a-v\\01 $]{0,6}"$/),
      fc.stringMatching(/^"[a-z $#\\n{}F'O]{0,8}"$/),
      fc.stringMatching(/^'[a-z $#\\n"FO]{0,8}'$/),
      text,
    );
    const line = fc.oneof(
      fc
        .tuple(
          fc.constantFrom('A', 'B', 'C_1', 'export D', 'FOO', 'a.b'),
          fc.constantFrom('=', ' = ', '= ', ': '),
          value,
          fc.constantFrom('', ' ', ' # c', '#c'),
        )
        .map((parts) => parts.join('')),
      fc.constantFrom('# x', '', 'F', 'export G', '  H=1'),
    );
    const projects = sampled(fc.array(line, { minLength: 1, maxLength: 3 })).map((lines) => ({
      'compose.yaml': JSON.stringify({ services: { web: { image: 'x', env_file: 'e.env' } } }),
      'e.env': `${lines.join('\n')}\n`,
    }));
    for (const { files, ours, theirs } of both(projects)) {
      // What stands behind a closing quote is another variable there, often one without a name: an error here.
      if (isStrict(ours) || (isRefused(ours) && ours.includes('after the quote'))) continue;
      if (isRefused(ours) || isRefused(theirs))
        expect({ files, refused: isRefused(ours) }).toEqual({ files, refused: isRefused(theirs) });
      else
        expect({ files, environment: {}, ...ours }).toMatchObject({
          files,
          environment: theirs.environment ?? {},
        });
    }
  });

  it('files that are merged or extended become the same, and the same are refused', () => {
    const projects = sampled(fc.tuple(composeService, composeService, fc.boolean())).map(
      ([base, over, isExtended]): Files => {
        const common = { 'e.env': 'A=e\nZ=1\n', 'f.env': 'B=f\n', s: 's' };
        if (!isExtended)
          return {
            ...common,
            'compose.yaml': stringify({
              services: { web: { image: 'x', ...base }, ...others },
              ...resources,
            }),
            'over.yaml': stringify({ services: { web: { hostname: 'h', ...over } } }),
          };
        const { depends_on: _, ...extended } = base;
        const web = { extends: { file: 'base.yaml', service: 'base' }, ...over };
        return {
          ...common,
          'base.yaml': stringify({ services: { base: { image: 'x', ...extended } } }),
          'compose.yaml': stringify({ services: { web, ...others }, ...resources }),
        };
      },
    );
    let read = 0;
    for (const { files, directory, ours, theirs } of both(projects)) {
      if (isRefused(ours) || isRefused(theirs))
        expect({ files, ours, theirs }).toEqual({
          files,
          ours: expect.stringContaining('refused'),
          theirs: expect.stringContaining('refused'),
        });
      else {
        read += 1;
        expect({ files, differences: differences(ours, theirs, directory) }).toEqual({
          files,
          differences: [],
        });
      }
    }
    expect(read).toBeGreaterThan(500);
  });
});
