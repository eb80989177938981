import { ApplicationSpec } from '../model/application.ts';
import type { Digest } from '../model/image.ts';
import { EnvironmentName } from '../model/names.ts';
import { ServiceKey } from '../model/service.ts';
import type { IngressSettings } from './ingress-state.ts';
import { HEALTH_PORT, HTTP_PORT, HTTPS_PORT } from './proxy-config.ts';

/** Berth's own applications live in an environment that nobody deploys to. */
export const SYSTEM_ENVIRONMENT = EnvironmentName.parse('berth');
export const INGRESS = ServiceKey.parse({
  environment: SYSTEM_ENVIRONMENT,
  application: 'ingress',
  service: 'ingress',
});
/** Where the registry has the proxy's image. */
export const REPOSITORY = 'berth/ingress';

export const isIngress = (key: ServiceKey): boolean =>
  key.environment === INGRESS.environment &&
  key.application === INGRESS.application &&
  key.service === INGRESS.service;

/** The ingress as an application like any other: it is placed, checked, repaired and rolled out as those are. */
export const ingressApplication = (
  digest: Digest,
  { replicas, pool, everyMachine }: IngressSettings,
): ApplicationSpec =>
  ApplicationSpec.parse({
    name: INGRESS.application,
    services: {
      [INGRESS.service]: {
        image: `${REPOSITORY}@${digest}`,
        pool,
        ...(everyMachine
          ? { mode: 'one-per-machine' }
          : { replicas, placement: { spread: 'machine', atMostPerMachine: 1 } }),
        resources: { cpu: 0.25, memory: 256 },
        port: HEALTH_PORT,
        // The last one is what the load balancer asks.
        ports: [{ machine: HTTP_PORT }, { machine: HTTPS_PORT }, { machine: HEALTH_PORT }],
        health: { path: '/healthz', deadline: 60 },
        rollout: { unavailable: 1, surge: replicas === 1 && !everyMachine ? 1 : 0 },
        // haproxy then ends what it has and takes no more.
        stopSignal: 'SIGUSR1',
        stopGrace: 30,
      },
    },
  });
