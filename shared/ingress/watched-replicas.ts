import type { Replica } from '../model/service.ts';
import type { Documents } from '../state/documents.ts';
import { toldDocuments } from '../state/told-documents.ts';
import { isIngress } from './ingress-application.ts';
import type { Notice } from './notice.ts';

/**
 * Records of replicas whose writers wait until the ingress knows what they wrote. A replica that was only reserved or
 * started has never served: its start is not held up.
 */
export const watchedReplicas = (replicas: Documents<Replica>, notice: Notice): Documents<Replica> =>
  toldDocuments(replicas, async ({ key, status }) => {
    const isSilent = status.state === 'reserved' || (status.state === 'running' && !isIngress(key));
    if (!isSilent) await notice.changed(key);
  });
