import type { InsideOf } from '../shared/docker/inside.ts';
import type { Balancer } from '../shared/ingress/balancer/balancer.ts';
import { type AcmeStore, acmeStore } from '../shared/ingress/certificates/acme-store.ts';
import { type CertificateStore, certificateStore } from '../shared/ingress/certificates/certificate-store.ts';
import { engineDoor } from '../shared/ingress/door.engine.ts';
import { type IngressStores, ingressStores } from '../shared/ingress/ingress-state.ts';
import { joinBalancer } from '../shared/ingress/join-balancer.ts';
import { type Notice, notice } from '../shared/ingress/notice.ts';
import { watchedReplicas } from '../shared/ingress/watched-replicas.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import type { Tables } from '../shared/state/tables.ts';
import type { Stores } from '../shared/workloads/stores.ts';

/** The part of the services that concerns routes and the ingress. */
export interface IngressServices {
  readonly ingress: IngressStores;
  readonly certificates: CertificateStore;
  readonly acme: AcmeStore;
  readonly notice: Notice;
  /** Stores whose replicas are known to the ingress before a write of them returns. */
  readonly stores: Stores;
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export function ingressServices(from: {
  readonly tables: Tables;
  readonly secrets: Secrets;
  readonly stores: Stores;
  readonly insideOf: InsideOf;
  readonly balancer: Balancer;
}): IngressServices {
  const { tables, secrets, insideOf, balancer, stores: documents } = from;
  const ingress = ingressStores(tables);
  const certificates = certificateStore(tables, secrets);
  const acme = acmeStore(tables);
  const told = notice(
    {
      tables,
      stores: documents,
      ingress,
      certificates,
      challenges: () => acme.challenges(),
      door: engineDoor(insideOf),
      random: Math.random,
      sleep,
    },
    () => joinBalancer({ stores: documents, ingress, balancer, now: () => new Date(), sleep }),
    (error) => console.error('ingress:', error),
  );
  return {
    ingress,
    certificates,
    acme,
    notice: told,
    stores: { ...documents, replicas: watchedReplicas(documents.replicas, told) },
  };
}
