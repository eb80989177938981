import type { Engine } from '../docker/engine.ts';

/** As many lines as a failure shows. */
const LINES = 50;

/** The last lines that a container wrote; none if they cannot be read any more. */
export async function lastLines(engine: Engine, container: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const { text } of engine.logs(container, { tail: LINES })) lines.push(text);
  } catch {
    // What the container said is a help, not a condition.
  }
  return lines.slice(-LINES);
}
