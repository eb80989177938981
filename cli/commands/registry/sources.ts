import { type Command, InvalidArgumentError } from 'commander';
import {
  deleteSource,
  getSource,
  listSources,
  putSource,
  refreshCopies,
  testSource,
} from '../../../shared/api/routes/sources.ts';
import { hostOfUrl } from '../../../shared/model/registry-address.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { imageNamed, tagOf, tagsNamed } from '../../image-name.ts';
import { harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { type UpstreamOptions, upstreamOf } from './upstream-options.ts';

interface CreateOptions extends UpstreamOptions {
  readonly from: string;
  readonly prefix?: string;
  readonly freshness?: number;
  readonly allow?: readonly string[];
}

function minutes(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number of minutes.');
}

export function addSources(registry: Command): void {
  const sources = registry.command('sources').description('registries whose repositories are mirrored here');
  sources
    .command('list', { isDefault: true })
    .description('sources, and what they mirror')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { sources: found } = await client.call(listSources);
        output.data(found, () =>
          table(
            ['SOURCE', 'REPOSITORIES', 'FROM', 'FRESH FOR', 'ALLOWS', 'CREDENTIAL'],
            found.map(({ name, prefix, upstream, path, freshness, allow, hasCredential }) => [
              name,
              `${prefix}/**`,
              [hostOfUrl(upstream.url), path].filter(Boolean).join('/'),
              `${freshness} min`,
              allow.join(', '),
              hasCredential ? 'yes' : 'no',
            ]),
            'There is none yet: berth registry sources create hub --from docker.io',
          ),
        );
      }),
    );
  sources
    .command('show')
    .description('one source, as JSON')
    .argument('<name>')
    .action((source: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getSource, { params: { source } });
        output.data(found, () => JSON.stringify(found, undefined, 2));
      }),
    );
  sources
    .command('create')
    .description('makes a source, or changes it')
    .argument('<name>')
    .requiredOption('--from <registry>', 'its registry, and where in it: docker.io, ghcr.io/owner')
    .option('--prefix <prefix>', 'repositories below it are copies; the name if left out')
    .option('--freshness <minutes>', 'how long a tag counts as fresh; 60 if left out', minutes)
    .option('--allow <pattern...>', 'repositories of that registry that may be fetched; all if left out')
    .option('--username <name>', 'for a credential, whose password is asked for')
    .option('--password-stdin', 'the password is on standard input')
    .option('--authority <file>', 'PEM of an authority to trust, where the usual ones have not signed it')
    .option('--plain-http', 'the registry speaks http, which is not encrypted')
    .action(async (source: string, options: CreateOptions, command: Command) => {
      const { from, prefix = source, freshness, allow } = options;
      const { address, path, credential } = await upstreamOf(from, options);
      const json = { prefix, upstream: address, path, freshness, allow, credential };
      await withSession(command, async ({ client, output }) => {
        const made = await client.call(putSource, { params: { source }, json });
        output.data(
          made,
          () => `${made.prefix}/** mirrors ${[hostOfUrl(made.upstream.url), path].filter(Boolean).join('/')}`,
        );
        output.say(`Try it: berth registry sources test ${source}`);
      });
    });
  sources
    .command('delete')
    .description('removes a source; what it fetched stays')
    .argument('<name>')
    .action((source: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteSource, { params: { source } });
        output.say(`Source ${source} is removed.`);
      }),
    );
  sources
    .command('test')
    .description('asks the registry of a source, with its credential')
    .argument('<name>')
    .argument('[image]', 'an image below its prefix: hub/library/nginx:1.27')
    .action((source: string, image: string | undefined, _options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output } = session;
        const reference = image === undefined ? undefined : imageNamed(session, image);
        const json =
          image === undefined || reference === undefined
            ? {}
            : { repository: reference.repository, tag: tagOf(reference, image) };
        const result = await client.call(testSource, { params: { source }, json });
        if (result.outcome === 'failed') throw new Failure({ ...result, exitCode: exitCodes.failed });
        output.data(
          result,
          () => `${result.host} answers${result.digest === undefined ? '' : `: ${result.digest}`}`,
        );
      }),
    );
  sources
    .command('refresh')
    .description('asks what tags mean by now; one that moved is a push, and rolls services out')
    .argument('<image>', 'a copy: hub/library/nginx:1.27; without a tag all tags that are here')
    .action((image: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output } = session;
        const { results } = await client.call(refreshCopies, { json: tagsNamed(session, image) });
        output.data(results, () =>
          table(
            ['TAG', 'OUTCOME', 'DIGEST'],
            results.map((result) => [
              result.tag,
              result.outcome === 'failed' ? `failed: ${harmless(result.message)}` : result.outcome,
              result.outcome === 'failed' ? '-' : result.digest.slice(0, 19),
            ]),
            'No tag of it is here yet.',
          ),
        );
        if (results.some(({ outcome }) => outcome === 'failed')) process.exitCode = exitCodes.failed;
      }),
    );
}
