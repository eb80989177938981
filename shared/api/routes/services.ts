import { z } from 'zod';
import { ServiceSpec } from '../../model/application.ts';
import { Digest } from '../../model/image.ts';
import { ApplicationName } from '../../model/names.ts';
import { RolloutView } from '../../model/rollout-view.ts';
import { RefusedImage, Replica, Revision, RolloutStatus, ServiceKey } from '../../model/service.ts';
import { Accepted } from '../accepted.ts';
import { LogEvent } from '../log-stream.ts';
import { inEnvironment, logQuery, ofReplica, ofService } from '../parameters.ts';
import { route } from '../route.ts';

export const ServiceSummary = z.object({
  key: ServiceKey,
  /** Of the newest revision; of what was deployed since, while that image is waited for or refused. */
  image: z.string(),
  /** What the image means in the newest accepted revision. */
  digest: Digest.optional(),
  /** Newest accepted revision; absent until its image was pushed. */
  revision: z.number().int().optional(),
  /** The revision whose number the newest one's containers carry: those with another are to be replaced. */
  template: z.number().int().optional(),
  /** The revision that serves. */
  healthyRevision: z.number().int().optional(),
  /** `<source> <id>` of the event that brought the newest revision. */
  cause: z.string().optional(),
  removing: z.boolean(),
  rollout: RolloutStatus,
  /** How far the rollout is and what it waits for; absent while none is under way. */
  progress: RolloutView.optional(),
  /** The wanted image, while policies refuse it, with what is missing; what ran before it runs on. */
  refused: RefusedImage.optional(),
  /** Of its routes. */
  urls: z.array(z.string()).optional(),
  replicas: z.object({ wanted: z.number().int(), healthy: z.number().int() }),
});
export type ServiceSummary = z.infer<typeof ServiceSummary>;

/** A replica with the name that paths and lists use. */
export const ReplicaView = Replica.extend({
  name: z.string(),
  /** Secrets of which it was given an older value than they have now. */
  staleSecrets: z.array(z.string()).optional(),
});
export type ReplicaView = z.infer<typeof ReplicaView>;

const list = '/api/v1/environments/{environment}/services' as const;
const one = `${list}/{application}/{service}` as const;

export const listServices = route({
  name: 'list-services',
  method: 'GET',
  path: list,
  permission: 'applications.read',
  summary: 'The services of an environment, or of one application in it.',
  params: inEnvironment,
  query: z.strictObject({ application: ApplicationName.optional() }),
  answer: z.object({ services: z.array(ServiceSummary) }),
});

export const getService = route({
  name: 'get-service',
  method: 'GET',
  path: one,
  permission: 'applications.read',
  summary: 'A service: what is wanted, how its rollout goes, and its replicas with their addresses.',
  params: ofService,
  answer: z.object({ service: ServiceSummary, spec: ServiceSpec, replicas: z.array(ReplicaView) }),
});

export const listRevisions = route({
  name: 'list-revisions',
  method: 'GET',
  path: `${one}/revisions`,
  permission: 'applications.read',
  summary: 'Every accepted specification of a service, the newest first.',
  params: ofService,
  answer: z.object({ revisions: z.array(Revision) }),
});

export const listReplicas = route({
  name: 'list-replicas',
  method: 'GET',
  path: '/api/v1/environments/{environment}/replicas',
  permission: 'applications.read',
  summary: 'The replicas of an environment, or of one application in it.',
  params: inEnvironment,
  query: z.strictObject({ application: ApplicationName.optional() }),
  answer: z.object({ replicas: z.array(ReplicaView) }),
});

export const readReplicaLogs = route({
  name: 'read-replica-logs',
  method: 'GET',
  path: `${one}/replicas/{replica}/logs`,
  permission: 'logs.read',
  summary: 'Log lines of a replica, as server-sent events.',
  params: ofReplica,
  query: logQuery,
  answerType: 'text/event-stream',
  answer: LogEvent,
});

export const scaleService = route({
  name: 'scale-service',
  method: 'POST',
  path: `${one}/scale`,
  permission: 'applications.write',
  summary: 'Changes how many replicas a service has, until its application is deployed again.',
  params: ofService,
  body: { schema: z.strictObject({ replicas: z.number().int().min(0).max(1000) }) },
  status: 202,
  answer: Accepted,
});

export const restartService = route({
  name: 'restart-service',
  method: 'POST',
  path: `${one}/restart`,
  permission: 'applications.write',
  summary: 'Replaces every replica of a service by a new one of the same specification.',
  params: ofService,
  status: 202,
  answer: Accepted,
});
