import { z } from 'zod';
import { ApplicationName, EnvironmentName, MachineName, ServiceName } from '../model/names.ts';

/** Whose log it is: one container on one machine. */
export const LogSource = z.object({
  environment: EnvironmentName,
  /** Of a service's replica, or of a run. */
  kind: z.enum(['service', 'run']),
  application: ApplicationName,
  /** Service or job. */
  part: ServiceName,
  /** Name of the container. */
  container: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/),
  machine: MachineName,
  /** First 12 digits of the container's id. */
  id: z.string().regex(/^[0-9a-z]{12}$/),
});
export type LogSource = z.infer<typeof LogSource>;

export interface Labelled {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Undefined if its labels are not those of a replica or a run. */
export function sourceOf({ id, name, labels }: Labelled, machine: string): LogSource | undefined {
  const [kind, owner] =
    labels['berth.run'] === undefined
      ? (['service', labels['berth.service']] as const)
      : (['run', labels['berth.job']] as const);
  const [environment, application, part] = owner?.split('.') ?? [];
  return LogSource.safeParse({
    environment,
    kind,
    application,
    part,
    container: name,
    machine,
    id: id.slice(0, 12),
  }).data;
}

/** `<environment>/<s|r>/<application>.<part>/<container>@<machine>.<id>/`: blobs of a source are under it, one a segment. */
export const folderOf = (source: LogSource): string =>
  `${partFolder(source)}${source.container}@${source.machine}.${source.id}/`;

export const partFolder = ({
  environment,
  kind,
  application,
  part,
}: Pick<LogSource, 'environment' | 'kind'> & { application?: string; part?: string }): string =>
  [
    `${environment}/${kind === 'service' ? 's' : 'r'}/`,
    ...(application === undefined ? [] : [`${application}.`]),
    ...(application === undefined || part === undefined ? [] : [`${part}/`]),
  ].join('');

/** A part of a source's log; its name says when it begins. */
export interface Segment {
  readonly name: string;
  readonly from: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

/** The source and the beginning of a blob. */
export function parseSegment(name: string): { source: LogSource; from: string } | undefined {
  const [, environment, kind, application, part, container, machine, id, from] =
    /^([^/]+)\/([sr])\/([^/.]+)\.([^/.]+)\/([^/@]+)@([^/.]+)\.([^/.]+)\/([^/]+)$/.exec(name) ?? [];
  const source = LogSource.safeParse({
    environment,
    kind: kind === 's' ? 'service' : 'run',
    application,
    part,
    container,
    machine,
    id,
  }).data;
  return source === undefined || from === undefined ? undefined : { source, from };
}

/** How people call it: `hello/web/0.g1`, or `hello/greet/ev-… attempt`. */
export function labelOf({ application, part, container }: LogSource): string {
  const [, replica = container] = /\.r\d+\.(\d+\.g\d+.*)$/.exec(container) ?? [];
  return `${application}/${part}/${replica}`;
}
