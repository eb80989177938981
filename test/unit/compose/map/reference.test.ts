import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mapProject } from '../../../../shared/compose/map/map-project.ts';
import { readProject } from '../../../../shared/compose/project.ts';
import { Invalid } from '../../../../shared/model/invalid.ts';

const folder = fileURLToPath(new URL('../../../../../shared/reference/compose/', import.meta.url));
const there = existsSync(folder);
const files = there
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ya?ml$/.test(file))
      .sort()
  : [];

const read = (path: string): string | undefined => {
  try {
    return readFileSync(`${folder}${path}`, 'utf8');
  } catch {
    return undefined;
  }
};
/** Every variable is set, but those of docker compose itself. */
const environment = new Proxy<Record<string, string | undefined>>(
  {},
  {
    get: (_, name) => (String(name).startsWith('COMPOSE_') ? undefined : name === 'HOME' ? '/home/me' : '80'),
  },
);

/** One line a file: what it gives, or how many places are refused and for which keys. */
function summary(file: string): string {
  try {
    const project = readProject({
      files: [file],
      workingDirectory: '/work',
      profiles: ['*'],
      environment,
      read,
    });
    const { application, builds, notes } = mapProject(project, [], read);
    const names = Object.keys(application.services).join(' ');
    return `${file}: mapped ${names}; ${builds.length} built, ${notes.length} notes`;
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    for (const issue of error.issues)
      expect(issue).toMatchObject({ line: expect.any(Number), file: expect.any(String) });
    const keys = error.issues.map(({ path }) =>
      path.replace(/^services\.[^.]+\./, '').replace(/\.\d+.*$/, ''),
    );
    return `${file}: ${error.code}, ${error.issues.length} places: ${[...new Set(keys)].sort().join(' ')}`;
  }
}

describe.skipIf(!there)('compose files of others (../shared/reference/compose)', () => {
  it('are mapped, or refused with their places; none of them breaks the reader', async () => {
    expect(files.length).toBeGreaterThan(100);
    await expect(`${files.map(summary).join('\n')}\n`).toMatchFileSnapshot('reference.golden.txt');
  });
});
