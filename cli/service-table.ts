import type { ServiceSummary } from '../shared/api/routes/services.ts';
import { harmless, type Paint, table } from './output.ts';

const colours = {
  done: 'green',
  failed: 'red',
  rolling: 'yellow',
  paused: 'yellow',
  'waiting-for-image': 'yellow',
} as const;

export const rolloutText = (service: ServiceSummary, paint: Paint): string =>
  service.removing
    ? paint('yellow', 'removing')
    : service.refused !== undefined
      ? paint(
          'red',
          service.rollout.state === 'waiting-for-image'
            ? 'refused'
            : `${service.rollout.state}, newer refused`,
        )
      : paint(colours[service.rollout.state], `${service.rollout.state}${farText(service)}`);

/** How far a rollout is: `, 2 of 5 new`. */
const farText = ({ progress }: ServiceSummary): string =>
  progress === undefined ? '' : `, ${progress.healthy} of ${progress.wanted} new`;

/** What the rollouts under way wait for, a line each. */
export const waitsText = (services: readonly ServiceSummary[]): string =>
  services
    .flatMap(({ key, progress }) =>
      progress === undefined ? [] : [`${key.application}/${key.service}: ${harmless(progress.waits)}`],
    )
    .join('\n');

/** The first, and how many more there are. */
const urlsText = (urls: readonly string[] = []): string | undefined =>
  urls.length > 1 ? `${urls[0]} and ${urls.length - 1} more` : urls[0];

export const serviceTable = (
  services: readonly ServiceSummary[],
  paint: Paint,
  environment: string,
): string =>
  table(
    ['SERVICE', 'IMAGE', 'REVISION', 'HEALTHY', 'ROLLOUT', 'URL'],
    services.map((service) => [
      `${service.key.application}/${service.key.service}`,
      service.image,
      service.revision,
      `${service.replicas.healthy}/${service.replicas.wanted}`,
      rolloutText(service, paint),
      urlsText(service.urls),
    ]),
    `No service is deployed in environment ${environment}.`,
  );

/** Why an image is not deployed, a line for each thing that is missing. */
export const refusalText = ({ key, image, refused }: ServiceSummary): string =>
  refused === undefined
    ? ''
    : [
        `${key.application}/${key.service}: the image ${image} (${refused.digest.slice(0, 19)}) is refused:`,
        ...refused.reasons.map((reason) => `  - ${harmless(reason)}`),
      ].join('\n');

/** Why a rollout failed, with the container's last lines. */
export function failureText({ key, rollout }: ServiceSummary): string {
  if (rollout.state !== 'failed') return '';
  const isSaid = rollout.reason.includes(`exit code ${rollout.exitCode}`);
  const exit = rollout.exitCode === undefined || isSaid ? '' : ` (exit code ${rollout.exitCode})`;
  const lines = (rollout.lastLines ?? []).map((line) => `  | ${harmless(line)}`);
  return [
    `${key.application}/${key.service}: ${rollout.code}: ${harmless(rollout.reason)}${exit}`,
    ...(lines.length === 0 ? [] : ['  its last lines:', ...lines]),
  ].join('\n');
}
