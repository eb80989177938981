import type { Command } from 'commander';
import { listMachineImages, type MachineImageView } from '../../../shared/api/routes/machine-images.ts';
import { ago, harmless, type Paint, table } from '../../output.ts';
import { withSession } from '../../session.ts';

const columns = ['PROFILE', 'BASE', 'POOLS', 'MACHINES', 'SINCE', 'STATE'];

const stateOf = ({ status, nextAttempt }: MachineImageView, paint: Paint): string => {
  if (status.state !== 'failed') return paint(status.state === 'ready' ? 'green' : 'yellow', status.state);
  const again = nextAttempt === undefined ? '' : `; tried again after ${nextAttempt}`;
  return paint('red', `failed: ${harmless(status.reason)}${again}`);
};

export function addImages(machine: Command): void {
  machine
    .command('images')
    .description('golden images, from which the machines of pools with `golden: true` boot in seconds')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { images } = await client.call(listMachineImages);
        output.data(images, () =>
          table(
            columns,
            images.map((image) => [
              image.profile,
              image.base,
              image.pools.join(', '),
              String(image.machines.length),
              ago(image.status.state === 'failed' ? image.status.at : image.status.since),
              stateOf(image, output.paint),
            ]),
            'There is no golden image; a pool with `golden: true` has one made.',
          ),
        );
      }),
    );
}
