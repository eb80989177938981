import { spawn } from 'node:child_process';
import { Terminal } from '../../../shared/model/errors.ts';

export interface CommandOptions {
  /** Every line of its output, as it comes. */
  readonly line?: (line: string) => void;
  readonly input?: string;
  /** Ends the program when it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program of this computer and answers its standard output.
 * @throws Terminal `command-failed` with its last lines; `command-missing` when it is not installed
 */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let output = '';
    const last: string[] = [];
    const take = (kept: boolean) => {
      let rest = '';
      return (chunk: Buffer) => {
        if (kept) output += chunk.toString();
        const lines = (rest + chunk.toString()).split(/\r?\n/);
        rest = lines.pop() ?? '';
        for (const line of lines) {
          options.line?.(line);
          if (last.push(line) > 20) last.shift();
        }
      };
    };
    child.stdout.on('data', take(true));
    child.stderr.on('data', take(false));
    child.on('error', (cause) =>
      reject(
        new Terminal({
          code: 'command-missing',
          message: `${program} cannot be run: ${cause.message}`,
          remedy: `Install ${program}.`,
          cause,
        }),
      ),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      reject(
        new Terminal({
          code: 'command-failed',
          message: `${program} ${args.join(' ')} ended with ${code ?? signal}:\n${last.join('\n')}`,
          remedy: 'Run the command by hand to see more.',
        }),
      );
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}
