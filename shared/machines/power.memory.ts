import type { Progress } from './cloud.ts';
import type { Power } from './power.ts';

export interface MemoryPower extends Power {
  /** Power states by the VM's name, as ARM's instance view says them: `running`, `deallocated`. */
  readonly states: Map<string, string>;
}

/** Power that is only remembered. */
export function memoryPower(): MemoryPower {
  const states = new Map<string, string>();
  const become =
    (state: string) =>
    async (name: string): Promise<Progress> => {
      states.set(name, state);
      return { status: 'going', operation: { kind: 'power', name, state: '{}' }, afterMs: 1 };
    };
  return {
    states,
    start: become('running'),
    deallocate: become('deallocated'),
    restart: become('running'),
  };
}
