import type { Request } from './demand.ts';
import type { Candidate } from './fit.ts';
import { hasFreePort } from './ports.ts';

const USABLE = 1;
const COMING = 2;
const HAS_GPU = 4;
const HAS_PORT = 8;
/** As in `fits`. */
const EPSILON = 1e-9;

/** What is compared first of every machine, side by side in memory: most are passed over without looking at more. */
export class Figures {
  #cpu = new Float64Array(64);
  #memory = new Float64Array(64);
  #full = new Float64Array(64);
  #flags = new Uint8Array(64);
  #kinds = new Uint32Array(64);
  /** Numbers of kinds of machines: those that no condition on zone, size or labels tells apart. */
  readonly #kindNumbers = new Map<string, number>();

  /** A machine that is new. */
  add(at: number, candidate: Candidate): void {
    if (at >= this.#cpu.length) this.#grow(at * 2);
    const { zone = '', size = '', labels } = candidate;
    const key = `${zone}\n${size}\n${JSON.stringify(labels)}`;
    const known = this.#kindNumbers.get(key);
    this.#kinds[at] = known ?? this.#kindNumbers.size;
    if (known === undefined) this.#kindNumbers.set(key, this.#kindNumbers.size);
    this.set(at, candidate);
  }

  kindOf(at: number): number {
    return this.#kinds[at] ?? 0;
  }

  /** What became of a machine. */
  set(at: number, candidate: Candidate): void {
    const { cpu, memory, freeCpu, freeMemory, usable, coming, gpu } = candidate;
    this.#cpu[at] = freeCpu;
    this.#memory[at] = freeMemory;
    this.#full[at] = fullnessOf({ cpu, memory, freeCpu, freeMemory });
    this.#flags[at] =
      (usable ? USABLE : 0) |
      (coming ? COMING : 0) |
      (gpu > 0 ? HAS_GPU : 0) |
      (hasFreePort(candidate) ? HAS_PORT : 0);
  }

  /** Whether a machine has the cores, memory and port; not whether anything else speaks against it. */
  mayFit(at: number, { cpu, memory, port }: Request): boolean {
    const needed = port ? USABLE | HAS_PORT : USABLE;
    return (
      ((this.#flags[at] ?? 0) & needed) === needed &&
      (this.#cpu[at] ?? 0) + EPSILON >= cpu &&
      (this.#memory[at] ?? 0) + EPSILON >= memory
    );
  }

  /** The class of a machine, as `classOf` says it. */
  classOf(at: number, gpu: number): number {
    const flags = this.#flags[at] ?? 0;
    return (flags & COMING ? 2 : 0) + (gpu === 0 && flags & HAS_GPU ? 1 : 0);
  }

  fullness(at: number): number {
    return this.#full[at] ?? 0;
  }

  #grow(length: number): void {
    const grown = <A extends Float64Array | Uint8Array | Uint32Array>(array: A, made: A): A => {
      made.set(array);
      return made;
    };
    this.#cpu = grown(this.#cpu, new Float64Array(length));
    this.#memory = grown(this.#memory, new Float64Array(length));
    this.#full = grown(this.#full, new Float64Array(length));
    this.#flags = grown(this.#flags, new Uint8Array(length));
    this.#kinds = grown(this.#kinds, new Uint32Array(length));
  }
}

/** 0: empty, 2: full. */
export const fullnessOf = ({
  cpu,
  memory,
  freeCpu,
  freeMemory,
}: Pick<Candidate, 'cpu' | 'memory' | 'freeCpu' | 'freeMemory'>): number =>
  2 - freeCpu / cpu - freeMemory / memory;
