import type { Faults } from './faults.ts';
import { type MapNode, nodeAt, type Path, placeOf, textOf } from './tree.ts';
import { bytesOf } from './units.ts';

const number = (text: string): number => Number(text);
const size = (text: string): number | undefined => bytesOf(text);

/** What may be said in the old place and in the new. */
const TWINS: readonly (readonly [Path, Path, (text: string) => number | undefined])[] = [
  [['scale'], ['deploy', 'replicas'], number],
  [['cpus'], ['deploy', 'resources', 'limits', 'cpus'], number],
  [['mem_limit'], ['deploy', 'resources', 'limits', 'memory'], size],
  [['mem_reservation'], ['deploy', 'resources', 'reservations', 'memory'], size],
  [['pids_limit'], ['deploy', 'resources', 'limits', 'pids'], number],
];

/** Two keys of one meaning that say two things, as docker compose refuses them too. */
export function checkSaidTwice(services: ReadonlyMap<string, MapNode>, faults: Faults): void {
  for (const [name, service] of services)
    for (const [old, now, read] of TWINS) {
      const [before, after] = [nodeAt(service, ...old), nodeAt(service, ...now)];
      const [one, other] = [textOf(before), textOf(after)];
      if (before === undefined || one === undefined || other === undefined) continue;
      if (read(one) === read(other)) continue;
      const path = ['services', name, ...old];
      faults.add(placeOf(before), path, `says ${one}, and ${now.join('.')} says ${other}: keep one of them.`);
    }
}
