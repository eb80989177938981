import { readDockerfile } from '../compose/dockerfile.ts';
import { applicationName, concluded, type MappedProject } from '../compose/map/conclude.ts';
import { Outcome } from '../compose/map/outcome.ts';
import type { Place, TreeNode } from '../compose/tree.ts';

export interface ProcfileInput {
  readonly file: string;
  readonly text: string;
  /** Of the application; the folder's. */
  readonly name: string;
  /** The Dockerfile beside it: processes need an image. */
  readonly dockerfile: string | undefined;
}

/** Where a process listens that is told so by PORT. */
const PORT = 8080;

/**
 * Processes of one image: `web` listens at PORT, `release` runs before each rollout of the first service, others are services
 * without a port. https://devcenter.heroku.com/articles/procfile
 * @throws Invalid `compose-not-honoured`
 */
export function mapProcfile({ file, text, name, dockerfile }: ProcfileInput): MappedProject {
  const outcome = new Outcome([]);
  const application = applicationName(name);
  const image = `${application}/app:latest`;
  const port = (dockerfile === undefined ? undefined : readDockerfile(dockerfile).ports[0]) ?? PORT;
  const services: Record<string, Readonly<Record<string, unknown>>> = {};
  let release: { readonly node: TreeNode; readonly command: readonly string[] } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const at: Place = { file, line: index + 1, column: 1 };
    const node: TreeNode = { kind: 'scalar', value: line, at };
    const [, process = '', run = ''] = /^([A-Za-z0-9_-]+):\s*(.+?)(\s+#.*)?$/.exec(line) ?? [];
    if (process === '') {
      outcome.refuse(node, [], `expected NAME: COMMAND, found "${line.slice(0, 40)}".`);
      continue;
    }
    const command = ['/bin/sh', '-c', run];
    const target = process.toLowerCase().replaceAll('_', '-');
    if (target === 'release') release = { node, command };
    else {
      outcome.comesFrom(['services', target], node);
      services[target] = {
        image,
        command,
        ...(target === 'web' ? { port, environment: { PORT: String(port) } } : {}),
      };
    }
  }
  const [first = ''] = Object.hasOwn(services, 'web') ? ['web'] : Object.keys(services);
  if (release !== undefined && first !== '')
    services[first] = { ...services[first], before: { command: release.command } };
  else if (release !== undefined)
    outcome.refuse(
      release.node,
      ['release'],
      'runs before a rollout, and there is nothing else to roll out.',
    );
  const begin: Place = { file, line: 1, column: 1 };
  if (Object.keys(services).length === 0 && release === undefined)
    outcome.refuseAt(begin, [], 'there are no processes: expected NAME: COMMAND.');
  if (dockerfile === undefined)
    outcome.notes.push({
      path: '',
      message: `${file}: its processes need an image, which a Dockerfile beside it would say how to build.`,
    });
  const build = { service: first, at: begin, context: '.', options: [], inline: undefined };
  return concluded(
    { application: { name: application, services }, images: [], builds: [build], secretSources: [] },
    outcome,
  );
}
