import { Command } from '../model/command.ts';
import { Invalid } from '../model/invalid.ts';
import { plainIssues } from '../model/plain-issues.ts';

/**
 * A message's body as a command.
 * @param body text of JSON, or what it was parsed to already
 * @throws Invalid `command-malformed`, `command-type-unknown`, `command-invalid`
 */
export function parseCommand(body: unknown): Command {
  const value = typeof body === 'string' ? parseJson(body) : body;
  const types = Command.options.map((option) => option.shape.type.value);
  const type: unknown =
    typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (!types.some((known) => known === type)) {
    throw new Invalid({
      code: 'command-type-unknown',
      message: `The command's type is ${JSON.stringify(type) ?? 'missing'}: expected one of ${types.join(', ')}`,
      remedy: 'Send {"type":"run-job","application":"…","job":"…"} or another command of docs/events.md.',
      issues: [{ path: 'type', message: `expected one of ${types.join(', ')}` }],
    });
  }
  const parsed = Command.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = plainIssues(parsed.error.issues);
  throw new Invalid({
    code: 'command-invalid',
    message: `The command is not valid: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    remedy: 'Correct what is named and send it again with a new id.',
    issues,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Invalid({
      code: 'command-malformed',
      message: `The message is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Send one JSON object in UTF-8.',
      issues: [{ path: '', message: 'expected a JSON object' }],
    });
  }
}
