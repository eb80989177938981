import { z } from 'zod';
import type { CloudEvent } from '../model/cloud-event.ts';

/** An application's name, or what a deployment sends: all of it. */
const application = z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]);
/** Where events say what they are about: their own members, or those of `key`. */
const Named = z.object({
  environment: z.string().optional(),
  application: application.optional(),
  service: z.string().optional(),
  job: z.string().optional(),
});
const Keyed = z.object({ key: Named });

export interface Concern {
  readonly environment?: string | undefined;
  readonly application?: string | undefined;
  /** Or a job of that name. */
  readonly service?: string | undefined;
}

/** Pure: whether an event is about an application, or one service of it. A deployment is about all of its services. */
export function concerns({ data }: Pick<CloudEvent, 'data'>, wanted: Concern): boolean {
  const keyed = Keyed.safeParse(data);
  const named = keyed.success ? keyed.data.key : Named.safeParse(data).data;
  if (named?.application === undefined) return false;
  const part = named.service ?? named.job;
  return (
    (wanted.environment === undefined || named.environment === wanted.environment) &&
    (wanted.application === undefined || named.application === wanted.application) &&
    (wanted.service === undefined || part === undefined || part === wanted.service)
  );
}
