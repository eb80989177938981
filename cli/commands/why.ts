import type { Command } from 'commander';
import { whyService } from '../../shared/api/routes/why.ts';
import type { Reason, ReplicaReasons, WhyService } from '../../shared/model/why.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { harmless, type Paint } from '../output.ts';
import { serviceNamed } from '../service-name.ts';
import { withSession } from '../session.ts';

export const addWhy = (program: Command): Command =>
  program
    .command('why')
    .description('why a service does not run as it should, or runs where it runs, and what would help')
    .argument(
      '<service>',
      'application/service, or the service alone; with /0 or /0.g1 behind it one replica',
    )
    .action((name: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const { params, replica } = await serviceNamed(session, withSlash(name));
        const found = await session.client.call(whyService, { params });
        const shown = replica === undefined ? found : oneReplica(found, replica);
        session.output.data(shown, () => whyText(shown, session.output.paint));
      }),
    );

/** `web/0` names a replica of web where `shop/web` names a service: replicas begin with a digit. */
const withSlash = (name: string): string => {
  const [first = '', second = ''] = name.split('/');
  return name.split('/').length === 2 && /^\d/.test(second) ? `/${first}/${second}` : name;
};

function oneReplica(found: WhyService, replica: string): WhyService {
  const one = found.replicas.find((known) => known.replica === replica || String(known.slot) === replica);
  if (one !== undefined) return { ...found, replicas: [one] };
  const known = found.replicas.map((other) => other.replica ?? String(other.slot)).join(', ');
  throw new Failure({
    code: 'replica-not-found',
    message: `There is no replica ${replica} of ${found.key.application}/${found.key.service}.`,
    remedy: known === '' ? 'It has none.' : `There are: ${known}`,
    exitCode: exitCodes.notFound,
  });
}

/** Replicas that say the same are said once. */
function whyText({ key, wanted, healthy, reasons, replicas }: WhyService, paint: Paint): string {
  const head = `${key.application}/${key.service}: ${healthy} of ${wanted} healthy`;
  const lines = [paint(healthy >= wanted ? 'green' : 'yellow', head)];
  for (const reason of reasons) lines.push(...reasonLines(reason, '  '));
  const groups = new Map<string, ReplicaReasons[]>();
  for (const replica of replicas) {
    const same = JSON.stringify([replica.state, replica.reasons]);
    groups.set(same, [...(groups.get(same) ?? []), replica]);
  }
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const names = group.map(({ replica, slot }) => replica ?? String(slot));
    const shown =
      names.length > 5 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
    lines.push(`${shown}  ${paint(first.state === 'healthy' ? 'green' : 'yellow', first.state)}`);
    for (const reason of first.reasons) lines.push(...reasonLines(reason, '  '));
  }
  return lines.join('\n');
}

function reasonLines({ message, wouldHelp, lastLines = [] }: Reason, indent: string): string[] {
  const [first = '', ...rest] = message.split('\n').map(harmless);
  return [
    `${indent}${first}`,
    ...rest.map((line) => `${indent}${line}`),
    ...wouldHelp.map((way) => `${indent}  would help: ${harmless(way)}`),
    ...lastLines.map((line) => `${indent}  | ${harmless(line)}`),
  ];
}
