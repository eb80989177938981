import type { EnvironmentName } from '../model/names.ts';
import type { Replica, ServiceKey } from '../model/service.ts';

/** How a service is written in a document of names. */
export const nameOf = ({ application, service }: Pick<ServiceKey, 'application' | 'service'>): string =>
  `${application}.${service}`;

/** Addresses of the containers that a service's name leads to: of its healthy replicas, sorted. */
export const addressesOf = (replicas: readonly Replica[]): readonly string[] =>
  replicas
    .flatMap(({ status, containerAddress }) =>
      status.state === 'healthy' && containerAddress !== undefined ? [containerAddress] : [],
    )
    .sort();

/** Under which names a container's question is asked: `api` is that of its own application first, `api.shop` another's. */
export const searchOf = ({ environment, application }: Pick<ServiceKey, 'environment' | 'application'>) =>
  [`${application}.${environment}.berth`, `${environment}.berth`] as const;

/** Name of an environment's network on each engine. */
export const networkName = (environment: EnvironmentName): string => `berth-${environment}`;
