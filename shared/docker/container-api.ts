import { z } from 'zod';
import type { Container } from './engine.ts';

export const Created = z.object({ Id: z.string() });
export const Waited = z.object({
  StatusCode: z.number().int(),
  Error: z.object({ Message: z.string() }).nullish(),
});
export const Listed = z.array(z.object({ Id: z.string() }));
export const Message = z.object({ message: z.string() });

/** Answer of GET /containers/{id}/json, as far as it is used. */
export const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()).nullish() }),
  State: z.object({
    Status: z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']),
    ExitCode: z.number().int(),
    OOMKilled: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ ExitCode: z.number(), Output: z.string() })).nullish(),
      })
      .nullish(),
  }),
  NetworkSettings: z
    .object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })).nullish() })
    .optional(),
});

export function containerOf(inspected: z.infer<typeof Inspected>): Container {
  const { Id, Name, Config, State } = inspected;
  const addresses = addressesOf(inspected);
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    labels: Config.Labels ?? {},
    state: stateOf(State),
    ...healthOf(State),
    ...(addresses !== undefined && { addresses }),
  };
}

/** `none` where it has no health check. */
function healthOf({ Health }: z.infer<typeof Inspected>['State']): Pick<Container, 'health'> {
  const status = z.enum(['starting', 'healthy', 'unhealthy']).safeParse(Health?.Status);
  if (!status.success) return {};
  const last = Health?.Log?.at(-1);
  const said = last === undefined ? '' : `exit code ${last.ExitCode}: ${last.Output.trim().slice(0, 500)}`;
  return { health: { status: status.data, said } };
}

/** In networks of its own; the engine's default bridge has no names. */
function addressesOf({ NetworkSettings }: z.infer<typeof Inspected>): Record<string, string> | undefined {
  const found = Object.entries(NetworkSettings?.Networks ?? {}).flatMap(([network, { IPAddress }]) =>
    network === 'bridge' || IPAddress === '' ? [] : [[network, IPAddress] as const],
  );
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function stateOf(state: z.infer<typeof Inspected>['State']): Container['state'] {
  switch (state.Status) {
    case 'created':
      return { state: 'created' };
    case 'running':
    case 'paused':
    case 'restarting':
      return { state: 'running', startedAt: state.StartedAt };
    case 'removing':
    case 'exited':
    case 'dead':
      return {
        state: 'exited',
        exitCode: state.ExitCode,
        finishedAt: state.FinishedAt,
        outOfMemory: state.OOMKilled,
      };
  }
}
