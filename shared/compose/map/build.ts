import { joinPath } from '../paths.ts';
import type { ComposeProject } from '../project.ts';
import { entriesOf, itemsOf, type MapNode, nodeAt, type Path, type Place, placeOf, textOf } from '../tree.ts';
import type { Outcome } from './outcome.ts';
import { isTrue } from './rule.ts';

/** An image that is built before it is deployed, by the engine of whoever deploys. */
export interface Build {
  readonly service: string;
  readonly at: Place;
  readonly context: string;
  /** As docker's command line takes them, without the tag and the context: `--file x --build-arg A=1`. */
  readonly options: readonly string[];
  /** The Dockerfile itself, if the compose file holds it. */
  readonly inline: string | undefined;
}

/** What docker build has an option for, and every engine. */
export function buildOf(
  service: MapNode,
  name: string,
  project: ComposeProject,
  outcome: Outcome,
): Build | undefined {
  const node = nodeAt(service, 'build');
  if (node?.kind !== 'map') return undefined;
  const path: Path = ['services', name, 'build'];
  const context = textOf(nodeAt(node, 'context')) ?? project.directory;
  const options: string[] = [];
  const pairs = (
    option: string,
    key: string,
    missing: (name: string) => string | undefined = () => '',
  ): void => {
    for (const [entry, value] of entriesOf(nodeAt(node, key))) {
      const text = textOf(value) ?? missing(entry);
      if (text !== undefined) options.push(option, `${entry}=${text}`);
    }
  };
  const one = (option: string, key: string): void => {
    const text = textOf(nodeAt(node, key));
    if (text !== undefined) options.push(option, text);
  };
  const dockerfile = textOf(nodeAt(node, 'dockerfile'));
  if (dockerfile !== undefined)
    options.push(
      '--file',
      /^(\/|[a-z]+:)/.test(context) && !context.startsWith('/') ? dockerfile : joinPath(context, dockerfile),
    );
  pairs('--build-arg', 'args', project.variables);
  pairs('--label', 'labels');
  one('--target', 'target');
  one('--network', 'network');
  one('--isolation', 'isolation');
  one('--shm-size', 'shm_size');
  pairs('--build-context', 'additional_contexts');
  for (const [host, addresses] of entriesOf(nodeAt(node, 'extra_hosts')))
    for (const address of itemsOf(addresses)) options.push('--add-host', `${host}:${textOf(address) ?? ''}`);
  for (const item of itemsOf(nodeAt(node, 'cache_from'))) options.push('--cache-from', textOf(item) ?? '');
  for (const item of itemsOf(nodeAt(node, 'cache_to'))) options.push('--cache-to', textOf(item) ?? '');
  for (const item of itemsOf(nodeAt(node, 'ssh'))) options.push('--ssh', textOf(item) ?? '');
  if (isTrue(nodeAt(node, 'no_cache'))) options.push('--no-cache');
  if (isTrue(nodeAt(node, 'pull'))) options.push('--pull');
  const platforms = itemsOf(nodeAt(node, 'platforms')).map((item) => textOf(item) ?? '');
  if (platforms.length > 0 && !platforms.includes('linux/amd64'))
    outcome.refuse(
      nodeAt(node, 'platforms') ?? node,
      [...path, 'platforms'],
      "Berth's machines are linux/amd64: expected that among them.",
    );
  else if (platforms.length > 0) options.push('--platform', 'linux/amd64');
  if (platforms.length > 1)
    outcome.note(nodeAt(node, 'platforms') ?? node, [...path, 'platforms'], 'linux/amd64 alone is built.');
  for (const [index, secret] of itemsOf(nodeAt(node, 'secrets')).entries()) {
    const source = textOf(nodeAt(secret, 'source')) ?? '';
    const id = textOf(nodeAt(secret, 'target')) ?? source;
    const declared = nodeAt(project.tree, 'secrets', source);
    const file = textOf(nodeAt(declared, 'file'));
    const variable = textOf(nodeAt(declared, 'environment'));
    if (file !== undefined) options.push('--secret', `id=${id},src=${file}`);
    else if (variable !== undefined) options.push('--secret', `id=${id},env=${variable}`);
    else
      outcome.refuse(
        secret,
        [...path, 'secrets', index],
        `a secret of a build comes of a file or a variable, and ${source || 'this'} has neither.`,
      );
  }
  for (const [key, value] of entriesOf(node))
    if (!KNOWN.has(key) && !key.startsWith('x-'))
      outcome.refuse(
        value,
        [...path, key],
        'docker build is not asked for it: expected it in the Dockerfile, or an image that is built elsewhere.',
      );
  const tags = nodeAt(node, 'tags');
  if (tags !== undefined)
    outcome.note(tags, [...path, 'tags'], 'the image is pushed under the name of the service.');
  return {
    service: name,
    at: placeOf(node),
    context,
    options,
    inline: textOf(nodeAt(node, 'dockerfile_inline')),
  };
}

const KNOWN = new Set([
  ...[
    'context',
    'dockerfile',
    'dockerfile_inline',
    'args',
    'labels',
    'target',
    'network',
    'isolation',
    'shm_size',
  ],
  ...[
    'additional_contexts',
    'extra_hosts',
    'cache_from',
    'cache_to',
    'ssh',
    'no_cache',
    'pull',
    'platforms',
    'secrets',
    'tags',
  ],
]);
