import { z } from 'zod';
import type { Brand } from './brand.ts';

/** Applications, services, jobs, pools, environments, hooks, policies, sources: a DNS label, since container and host names hold them. */
const label = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected 1 to 40 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
  );

export type EnvironmentName = Brand<string, 'EnvironmentName'>;
export type ApplicationName = Brand<string, 'ApplicationName'>;
export type ServiceName = Brand<string, 'ServiceName'>;
export type JobName = Brand<string, 'JobName'>;
export type PoolName = Brand<string, 'PoolName'>;
export type MachineName = Brand<string, 'MachineName'>;
export type HookName = Brand<string, 'HookName'>;
export type PolicyName = Brand<string, 'PolicyName'>;
export type SourceName = Brand<string, 'SourceName'>;

export const EnvironmentName = label.transform((name) => name as EnvironmentName);
export const ApplicationName = label.transform((name) => name as ApplicationName);
export const ServiceName = label.transform((name) => name as ServiceName);
export const JobName = label.transform((name) => name as JobName);
export const PoolName = label.transform((name) => name as PoolName);
export const HookName = label.transform((name) => name as HookName);
export const PolicyName = label.transform((name) => name as PolicyName);
export const SourceName = label.transform((name) => name as SourceName);
/** A machine's name is also its VM's and its host's: at most 63 characters. */
export const MachineName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/)
  .transform((name) => name as MachineName);
