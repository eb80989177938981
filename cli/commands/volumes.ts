import { type Command, InvalidArgumentError } from 'commander';
import { deleteVolume, listVolumes } from '../../shared/api/routes/volumes.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { ago, table } from '../output.ts';
import { withSession } from '../session.ts';

interface RemoveOptions {
  readonly slot: number;
  readonly forget?: boolean;
}

function slotNumber(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the number of a slot, 0 for the first.');
}

function parsed(name: string): { application: string; volume: string } {
  const [application = '', volume, ...more] = name.split('/');
  if (volume !== undefined && volume !== '' && application !== '' && more.length === 0)
    return { application, volume };
  throw new Failure({
    code: 'volume-name',
    message: `"${name}" does not name a volume: expected application/volume.`,
    remedy: 'List them: berth volumes ls',
    exitCode: exitCodes.usage,
  });
}

export function addVolumes(program: Command): void {
  const volumes = program
    .command('volumes')
    .description('what containers wrote to volumes, which stays when they go');
  volumes
    .command('ls', { isDefault: true })
    .alias('list')
    .description('volumes, the machine that each is on, and what uses it')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const { volumes: found } = await client.call(listVolumes, { params: { environment } });
        output.data(found, () =>
          table(
            ['VOLUME', 'SLOT', 'MACHINE', 'STATE', 'AGE', 'USED BY'],
            found.map(({ key, machine, state, createdAt, usedBy }) => [
              `${key.application}/${key.volume}`,
              key.slot,
              machine,
              state === 'gone' ? output.paint('red', state) : state,
              ago(createdAt),
              usedBy.join(', ') || undefined,
            ]),
            `Environment ${environment} has no volume.`,
          ),
        );
      }),
    );
  volumes
    .command('rm')
    .description('removes a volume with what was written to it')
    .argument('<volume>', 'application/volume')
    .requiredOption('--slot <number>', 'of which slot', slotNumber)
    .option(
      '--forget',
      'also if its machine is gone or does not answer: the slot then starts with an empty one',
    )
    .action((name: string, options: RemoveOptions, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const { application, volume } = parsed(name);
        await client.call(deleteVolume, {
          params: { environment, application, volume, slot: String(options.slot) },
          query: { forget: options.forget },
        });
        output.say(`Volume ${name} of slot ${options.slot} is removed from environment ${environment}.`);
      }),
    );
}
