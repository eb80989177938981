import { describe, expect, it } from 'vitest';
import { commandEvent } from '../../../shared/events/command-event.ts';
import { parseCommand } from '../../../shared/events/parse-command.ts';

describe('a command from a queue', () => {
  const run = { type: 'run-job', application: 'hello', job: 'greet' };

  it('is parsed from text and from JSON alike', () => {
    expect(parseCommand(JSON.stringify(run))).toEqual(parseCommand(run));
    expect(parseCommand(run)).toMatchObject({ environment: 'dev', job: 'greet' });
  });

  it.each([
    ['{', 'command-malformed'],
    ['null', 'command-type-unknown'],
    [{ type: 'explode' }, 'command-type-unknown'],
    [[], 'command-type-unknown'],
    [{ ...run, job: 'UPPER' }, 'command-invalid'],
    [{ ...run, extra: 1 }, 'command-invalid'],
    [{ type: 'scale', application: 'a', service: 'b', replicas: -1 }, 'command-invalid'],
  ])('is refused: %j', (body, code) => {
    expect(() => parseCommand(body)).toThrow(expect.objectContaining({ code, status: 400 }));
  });

  it('becomes the same event whenever it comes', () => {
    const command = parseCommand({ ...run, id: 'mine' });
    expect(commandEvent(command, 'queue/commands', 'm1', new Date(0))).toMatchObject({
      id: 'mine',
      source: 'queue/commands',
    });
    expect(commandEvent(parseCommand(run), 'api', 'm1', new Date(0)).id).toBe('m1');
  });
});
