import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { deleteImage } from '../../../shared/api/routes/image-changes.ts';
import { Failure } from '../../failure.ts';
import { imageNamed, referenceOf } from '../../image-name.ts';
import { harmless } from '../../output.ts';
import { withSession } from '../../session.ts';

export function addDelete(images: Command): void {
  images
    .command('delete')
    .description('deletes an image with all its tags; asks if something uses it')
    .argument('<image>', 'repository:tag or repository@digest')
    .option('--yes', 'without asking, though something uses it', false)
    .action((text: string, options: { yes: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const image = imageNamed(session, text);
        const query = { repository: image.repository, reference: referenceOf(image) };
        const attempt = (consent: boolean) =>
          session.client.call(deleteImage, { query: { ...query, consent } });
        const done = await attempt(options.yes).catch(async (error: unknown) => {
          if (!(error instanceof Failure) || error.code !== 'image-in-use') throw error;
          if (session.output.json || !(await agreed(error.message))) throw error;
          return attempt(true);
        });
        const tags = done.tags.length === 0 ? '' : ` (${done.tags.join(', ')})`;
        session.output.data(done, () => `deleted ${done.repository}@${done.digest}${tags}`);
      }),
    );
}

/** Whether the user agrees; where nobody can be asked, nobody does. */
async function agreed(why: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${harmless(why)}\nDelete it all the same? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
