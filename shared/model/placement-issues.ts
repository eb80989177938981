import type { z } from 'zod';
import type { FixedPort, Mode, PlacementSpec } from './placement.ts';
import { portText } from './placement.ts';
import type { RolloutPolicy } from './rollout-policy.ts';

interface Placed {
  readonly replicas: number;
  readonly pool: string;
  readonly mode?: Mode | undefined;
  readonly placement?: PlacementSpec | undefined;
  readonly ports?: readonly FixedPort[] | undefined;
  readonly rollout?: RolloutPolicy | undefined;
}

/** Machines listen there themselves: sshd, and their Docker engine. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['22/tcp', '2375/tcp', '2376/tcp']);
const GIVEN_BY_BERTH = { from: 20_000, to: 29_999 };

/** What contradicts itself in where an application's services are to be; for `superRefine` of its services. */
export function placementIssues(services: Readonly<Record<string, Placed>>, context: z.RefinementCtx): void {
  for (const [name, service] of Object.entries(services))
    for (const { path, message } of issuesOf(name, service, services))
      context.addIssue({ code: 'custom', path: [name, ...path], message });
}

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function issuesOf(name: string, service: Placed, services: Readonly<Record<string, Placed>>): Issue[] {
  const { placement = {} } = service;
  return [
    ...ofMode(service),
    ...ofPorts(service),
    ...(['affinity', 'antiAffinity'] as const).flatMap((list) =>
      (placement[list] ?? []).flatMap((other, at): Issue[] => {
        const path = ['placement', list, at];
        if (other === name)
          return [
            {
              path,
              message:
                list === 'affinity'
                  ? `expected another service, found ${name} itself: its first replica could be nowhere`
                  : `expected another service, found ${name} itself: write atMostPerMachine: 1`,
            },
          ];
        const there = services[other];
        if (list === 'affinity' && there !== undefined && there.pool !== service.pool)
          return [
            {
              path,
              message: `${other} is in pool ${there.pool} and ${name} in pool ${service.pool}: expected one pool, since no machine is in both`,
            },
          ];
        if (list === 'affinity' && placement.antiAffinity?.includes(other) === true)
          return [{ path, message: `${other} is in antiAffinity too: expected one of both` }];
        return [];
      }),
    ),
  ];
}

function ofMode({ mode, replicas, placement = {}, ports = [], rollout }: Placed): Issue[] {
  if (mode !== 'one-per-machine') return [];
  const isStuck = ports.length > 0 && rollout !== undefined && !endsOldFirst(rollout);
  const said = (['spread', 'strategy', 'atMostPerMachine'] as const).filter(
    (key) => placement[key] !== undefined,
  );
  return [
    ...(replicas === 1
      ? []
      : [
          {
            path: ['replicas'],
            message: `mode one-per-machine has as many replicas as there are machines: expected no replicas, found ${replicas}`,
          },
        ]),
    ...(isStuck
      ? [
          {
            path: ['rollout'],
            message:
              'a new replica waits for the port that the old one on its machine has: expected strategy rolling with unavailable of 1 or more, or no rollout',
          },
        ]
      : []),
    ...said.map((key) => ({
      path: ['placement', key],
      message: 'mode one-per-machine leaves no choice of machines: expected no such key',
    })),
  ];
}

const endsOldFirst = ({ strategy, unavailable }: RolloutPolicy): boolean =>
  strategy === 'rolling' && unavailable !== 0 && unavailable !== '0%';

function ofPorts({ ports = [] }: Placed): Issue[] {
  const seen = new Set<string>();
  return ports.flatMap((port, at): Issue[] => {
    const text = portText(port);
    const path = ['ports', at, 'machine'];
    if (OF_THE_MACHINE.has(text))
      return [{ path, message: `the machine itself listens on ${text}: expected another port` }];
    if (port.machine >= GIVEN_BY_BERTH.from && port.machine <= GIVEN_BY_BERTH.to)
      return [
        {
          path,
          message: `Berth gives the ports ${GIVEN_BY_BERTH.from} to ${GIVEN_BY_BERTH.to} to replicas: expected another port, found ${port.machine}`,
        },
      ];
    if (seen.has(text)) return [{ path, message: `${text} is there twice` }];
    seen.add(text);
    return [];
  });
}
