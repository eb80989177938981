import { z } from 'zod';
import type { Container, ContainerRequest } from './engine.ts';

const MIB = 1024 * 1024;

/**
 * Body of POST /containers/create. cpu is a share, not a quota: a container may use what others leave, and a small
 * quota would also throttle the runtime while it starts the container.
 */
export function createBody(request: ContainerRequest): unknown {
  const { publish } = request;
  const port = publish && `${publish.container}/tcp`;
  return {
    Image: request.image,
    ...(request.command === undefined ? {} : { Cmd: request.command }),
    Env: Object.entries(request.environment).map(([name, value]) => `${name}=${value}`),
    Labels: request.labels,
    StopTimeout: Math.ceil(request.stopGrace),
    ...(port === undefined ? {} : { ExposedPorts: { [port]: {} } }),
    HostConfig: {
      CpuShares: Math.min(262_144, Math.max(2, Math.round(request.cpu * 1024))),
      Memory: Math.round(request.memory * MIB),
      // Berth restarts what ends, and may do so elsewhere.
      RestartPolicy: { Name: 'no' },
      // Bounded, so that a talkative container does not fill the machine's disk.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      ...(port === undefined || publish === undefined
        ? {}
        : { PortBindings: { [port]: [{ HostIp: publish.address, HostPort: String(publish.machine) }] } }),
    },
  };
}

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
  }),
});

export function containerOf({ Id, Name, Config, State }: z.infer<typeof Inspected>): Container {
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    labels: Config.Labels ?? {},
    state: stateOf(State),
  };
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
