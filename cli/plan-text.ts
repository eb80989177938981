import type { DeploymentPlan, FieldChange, PartChange } from '../shared/model/plan.ts';
import { harmless, type Paint } from './output.ts';

const MARKS = { added: ['+', 'green'], changed: ['~', 'yellow'], removed: ['-', 'red'] } as const;
/** Longer values are cut: the file has them. */
const LONGEST = 100;

/** A plan for people: what changes, where it would go, what it costs. */
export function planText(plan: DeploymentPlan, paint: Paint): string {
  const { application, environment, changes, placement, machines, hourly, warnings, empty } = plan;
  if (empty) return `${application} in ${environment}: nothing would change.`;
  const count = (change: PartChange['change']) => changes.filter((one) => one.change === change).length;
  const lines = [
    `${application} in ${environment}: ${count('added')} to add, ${count('changed')} to change, ${count('removed')} to remove`,
    '',
    ...changes.flatMap((part) => partLines(part, paint)),
  ];
  if (placement.length > 0) {
    lines.push('', 'Placement, as the machines are now:');
    for (const { service, slot, from, machine, reason } of placement) {
      const fresh = machines.find(({ name }) => name === machine);
      const where =
        machine === undefined
          ? paint('red', `no room: ${harmless(reason)}`)
          : fresh === undefined
            ? machine
            : `${machine} (a new machine)`;
      const moves = from === undefined || from === machine ? '' : ` (now ${from})`;
      lines.push(`  ${service}/${slot}  ${where}${moves}`);
    }
  }
  for (const { name, pool, size, zone, hourly: price } of machines)
    lines.push(
      `  ${paint('green', '+')} machine ${name} of pool ${pool}: ${size ?? 'a size of the pool'}${zone === undefined ? '' : ` in zone ${zone}`}, ${price === undefined ? 'price not known' : dollars(price)}`,
    );
  lines.push(
    '',
    `Machines cost ${dollars(hourly.before)} now, ${dollars(hourly.after)} afterwards${idleText(hourly)}.`,
  );
  for (const warning of warnings) lines.push(paint('yellow', `! ${harmless(warning)}`));
  return lines.join('\n');
}

const dollars = (figure: number): string => `$${figure.toFixed(4)}/h`;

const idleText = ({ after, idle }: DeploymentPlan['hourly']): string =>
  idle < after ? ` (${dollars(idle)} once machines that are empty then are gone)` : '';

function partLines({ kind, name, change, fields, effect }: PartChange, paint: Paint): string[] {
  const [mark, colour] = MARKS[change];
  return [
    `${paint(colour, mark)} ${kind} ${name}: ${harmless(effect)}`,
    ...fields.map((field) => `    ${fieldText(field, paint)}`),
  ];
}

function fieldText({ path, change, before, after }: FieldChange, paint: Paint): string {
  const [mark, colour] = MARKS[change];
  const values = [before, after].filter((value) => value !== undefined).map(cut);
  return `${paint(colour, mark)} ${path}: ${values.join(' → ')}`;
}

function cut(value: string): string {
  const text = harmless(value).replaceAll('\n', '\\n');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
