import type { ServerResponse } from 'node:http';
import { sendJson } from './send-json.ts';

/** Those whose answers have the shape that `instanceDocument` makes. */
export const apiVersions = [
  '2021-01-01',
  '2021-02-01',
  '2021-03-01',
  '2021-05-01',
  '2021-11-01',
  '2021-11-15',
  '2021-12-13',
  '2023-07-01',
];

/**
 * `/metadata/instance` and what is under it: JSON, or with `format=text` a value or the names one level down.
 * @param path the segments after `/metadata/instance`
 */
export function answerInstance(
  response: ServerResponse,
  url: URL,
  path: readonly string[],
  document: unknown,
): void {
  const refuse = (why: string, more: object = {}) =>
    sendJson(response, 400, { error: `Bad request. ${why}`, ...more });
  const version = url.searchParams.get('api-version');
  const format = url.searchParams.get('format') ?? 'json';
  const found = path.reduce<unknown>(
    (node, name) => (isTree(node) && Object.hasOwn(node, name) ? node[name] : undefined),
    document,
  );
  if (version === null || !apiVersions.includes(version))
    refuse(
      `api-version ${version === null ? 'was not specified in the request' : 'is invalid or not supported'}. For more information refer to aka.ms/azureimds`,
      { 'newest-versions': apiVersions.slice(-3).reverse() },
    );
  else if (found === undefined) sendJson(response, 404, { error: 'Not found' });
  else if (format === 'text') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(isTree(found) ? namesIn(found) : String(found));
  } else if (format !== 'json') refuse(`format ${format} is not supported, expected json or text.`);
  else if (isTree(found)) sendJson(response, 200, found);
  else refuse('A single value has format=text only.');
}

const isTree = (node: unknown): node is Record<string, unknown> => typeof node === 'object' && node !== null;

const namesIn = (tree: Record<string, unknown>): string =>
  Object.entries(tree)
    .map(([name, value]) => (isTree(value) ? `${name}/` : name))
    .join('\n');
