import type { Route } from './route.ts';
import * as access from './routes/access.ts';
import * as allowances from './routes/allowances.ts';
import * as applications from './routes/applications.ts';
import * as audit from './routes/audit.ts';
import * as byHand from './routes/by-hand.ts';
import * as care from './routes/care.ts';
import * as cordon from './routes/cordon.ts';
import * as deadLetters from './routes/dead-letters.ts';
import * as directUploads from './routes/direct-uploads.ts';
import * as events from './routes/events.ts';
import * as files from './routes/files.ts';
import * as hooks from './routes/hooks.ts';
import * as imageChanges from './routes/image-changes.ts';
import * as imageDetails from './routes/image-details.ts';
import * as imageTrust from './routes/image-trust.ts';
import * as imageUsage from './routes/image-usage.ts';
import * as images from './routes/images.ts';
import * as imports from './routes/imports.ts';
import * as jobs from './routes/jobs.ts';
import * as keys from './routes/keys.ts';
import * as locatedImages from './routes/located-images.ts';
import * as logs from './routes/logs.ts';
import * as machineImages from './routes/machine-images.ts';
import * as machineRuns from './routes/machine-runs.ts';
import * as machines from './routes/machines.ts';
import * as orphans from './routes/orphans.ts';
import * as plans from './routes/plans.ts';
import * as policies from './routes/policies.ts';
import * as pools from './routes/pools.ts';
import * as quotas from './routes/quotas.ts';
import * as replications from './routes/replications.ts';
import * as rollouts from './routes/rollouts.ts';
import * as secrets from './routes/secrets.ts';
import * as serviceRoutes from './routes/service-routes.ts';
import * as serviceRuns from './routes/service-runs.ts';
import * as services from './routes/services.ts';
import * as sessions from './routes/sessions.ts';
import * as sources from './routes/sources.ts';
import * as status from './routes/status.ts';
import * as subscriptions from './routes/subscriptions.ts';
import * as tokenKeys from './routes/token-keys.ts';
import * as trash from './routes/trash.ts';
import * as usage from './routes/usage.ts';
import * as volumes from './routes/volumes.ts';
import * as why from './routes/why.ts';

const isRoute = (value: unknown): value is Route =>
  typeof value === 'object' && value !== null && 'permission' in value && 'path' in value;

/** Every route of the API, in the order of the document. */
export const routes: readonly Route[] = [
  status,
  applications,
  plans,
  services,
  why,
  serviceRoutes,
  serviceRuns,
  files,
  usage,
  sessions,
  rollouts,
  logs,
  jobs,
  secrets,
  volumes,
  allowances,
  machines,
  pools,
  machineRuns,
  cordon,
  machineImages,
  byHand,
  orphans,
  images,
  imageDetails,
  imageUsage,
  imageChanges,
  imports,
  locatedImages,
  directUploads,
  imageTrust,
  policies,
  care,
  quotas,
  trash,
  audit,
  subscriptions,
  sources,
  replications,
  events,
  deadLetters,
  hooks,
  keys,
  access,
  tokenKeys,
].flatMap((file) => Object.values(file).filter(isRoute));
