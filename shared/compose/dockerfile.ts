import { secondsOf } from './units.ts';

/** What a Dockerfile says of how its image is run. */
export interface ImageFacts {
  /** Of TCP, in order. */
  readonly ports: readonly number[];
  readonly stopSignal?: string;
  /** Seconds; `command` as the engine runs it. */
  readonly health?: {
    readonly command: readonly string[];
    readonly interval?: number;
    readonly timeout?: number;
    readonly deadline?: number;
  };
  /** As it stands there. */
  readonly command?: string;
  readonly entrypoint?: string;
}

interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  readonly lines: (readonly [string, string])[];
}

/**
 * Reads the last stage of a Dockerfile, and the stages that it begins from. What its base image says is not known here.
 * https://docs.docker.com/reference/dockerfile/
 */
export function readDockerfile(text: string): ImageFacts {
  const stages: Stage[] = [];
  for (const [instruction, rest] of instructionsIn(text)) {
    if (instruction !== 'FROM') {
      stages.at(-1)?.lines.push([instruction, rest]);
      continue;
    }
    const [, base = '', name] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(rest) ?? [];
    stages.push({ base, name: name?.toLowerCase(), lines: [] });
  }
  return factsOf(linesOf(stages, stages.length - 1));
}

/** Lines of the stages that a stage begins from come first. */
function linesOf(stages: readonly Stage[], index: number): readonly (readonly [string, string])[] {
  const stage = stages[index];
  if (stage === undefined) return [];
  const before = stages.findLastIndex(({ name }, at) => at < index && name === stage.base.toLowerCase());
  return [...(before < 0 ? [] : linesOf(stages, before)), ...stage.lines];
}

/** Comments go, and lines that end with a backslash go on. */
function instructionsIn(text: string): readonly (readonly [string, string])[] {
  const joined = text
    .split(/\r?\n/)
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\[ \t]*\n/g, ' ');
  return joined.split('\n').flatMap((line) => {
    const match = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line);
    return match === null ? [] : [[(match[1] ?? '').toUpperCase(), match[2] ?? ''] as const];
  });
}

function factsOf(lines: readonly (readonly [string, string])[]): ImageFacts {
  const variables = new Map<string, string>();
  const put = (text: string): string =>
    text.replace(
      /\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
      (whole, braced?: string, usual?: string, plain?: string) =>
        variables.get(braced ?? plain ?? '') ?? usual ?? whole,
    );
  const ports: number[] = [];
  let facts: Omit<ImageFacts, 'ports'> = {};
  for (const [instruction, rest] of lines)
    switch (instruction) {
      case 'ARG':
      case 'ENV':
        for (const [, name = '', value = ''] of rest.matchAll(/(\w+)[= ]("[^"]*"|'[^']*'|\S+)/g))
          variables.set(name, put(value.replace(/^(["'])(.*)\1$/, '$2')));
        break;
      case 'EXPOSE':
        for (const port of put(rest).split(/\s+/)) {
          const number = /^(\d+)(?:\/tcp)?$/i.exec(port)?.[1];
          if (number !== undefined && !ports.includes(Number(number))) ports.push(Number(number));
        }
        break;
      case 'STOPSIGNAL':
        facts = { ...facts, stopSignal: put(rest) };
        break;
      case 'CMD':
        facts = { ...facts, command: rest };
        break;
      case 'ENTRYPOINT':
        facts = { ...facts, entrypoint: rest };
        break;
      case 'HEALTHCHECK': {
        const { health: _, ...others } = facts;
        const health = healthIn(rest);
        facts = health === undefined ? others : { ...others, health };
      }
    }
  return { ports, ...facts };
}

function healthIn(text: string): ImageFacts['health'] {
  const match = /^(?<options>(?:--\S+\s+)*)CMD\s+(?<command>.*)$/is.exec(text);
  if (match?.groups === undefined) return undefined;
  const { options = '', command = '' } = match.groups;
  const option = (name: string): number | undefined => {
    const value = new RegExp(`--${name}=(\\S+)`).exec(options)?.[1];
    return value === undefined ? undefined : secondsOf(value);
  };
  const [interval, timeout, begin] = [option('interval'), option('timeout'), option('start-period')];
  const retries = Number(/--retries=(\d+)/.exec(options)?.[1] ?? 3);
  return {
    command: execForm(command) ?? ['/bin/sh', '-c', command],
    ...(interval === undefined ? {} : { interval }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(begin === undefined && interval === undefined
      ? {}
      : { deadline: Math.max(30, (begin ?? 0) + retries * (interval ?? 30)) }),
  };
}

function execForm(text: string): readonly string[] | undefined {
  if (!text.trim().startsWith('[')) return undefined;
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) ? words.map(String) : undefined;
  } catch {
    return undefined;
  }
}
