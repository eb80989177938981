import type { Command } from 'commander';
import { examine } from '../doctor/examine.ts';
import { exitCodes } from '../exit-codes.ts';
import { outputOf } from '../session.ts';

const marks = { ok: ['green', '✓'], warning: ['yellow', '!'], fault: ['red', '✗'] } as const;

export const addDoctor = (program: Command): Command =>
  program
    .command('doctor')
    .description('checks what this command needs, and what Berth needs; says how to mend what is amiss')
    .action(async (_options, command: Command) => {
      const output = outputOf(command);
      const findings = await examine(process.env, process.cwd());
      output.data(findings, () =>
        findings
          .map(({ verdict, subject, detail, remedy }) => {
            const [colour, mark] = marks[verdict];
            const then = remedy === undefined ? '' : `\n    → ${remedy}`;
            return `${output.paint(colour, mark)} ${subject}: ${detail}${then}`;
          })
          .join('\n'),
      );
      if (findings.some(({ verdict }) => verdict === 'fault')) process.exitCode = exitCodes.failed;
    });
