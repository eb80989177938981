import { stringify } from 'yaml';
import { readDockerfile } from '../../shared/compose/dockerfile.ts';
import { applicationName } from '../../shared/compose/map/conclude.ts';

/** A berth.yaml of a folder with a Dockerfile: one service, with what the Dockerfile says of it. */
export function fromDockerfile(text: string, file: string, folder: string): string {
  const name = applicationName(folder);
  const facts = readDockerfile(text);
  const [port, ...others] = facts.ports;
  const signal = facts.stopSignal;
  const service = {
    image: `${name}/web:latest`,
    ...(port === undefined ? {} : { port }),
    ...(facts.health === undefined ? {} : { health: facts.health }),
    ...(signal === undefined ? {} : { stopSignal: /^SIG|^\d/.test(signal) ? signal : `SIG${signal}` }),
  };
  const said = [
    `From ${file}. docs/berth.yaml of Berth shows every key with what it means.`,
    'Build it and push it, then deploy:',
    `    docker build --tag ${name}/web:latest${file === 'Dockerfile' ? '' : ` --file ${file}`} .`,
    `    berth push ${name}/web:latest`,
    '    berth deploy',
    ...(port === undefined
      ? ['The Dockerfile exposes no port: say port: if the service listens on one.']
      : []),
    ...(others.length > 0
      ? [`The first of its ports is the one that is checked; it also exposes ${others.join(', ')}.`]
      : []),
    ...(facts.entrypoint === undefined
      ? []
      : [`The image runs ENTRYPOINT ${facts.entrypoint}; entrypoint: says otherwise.`]),
    ...(facts.command === undefined ? [] : [`The image runs CMD ${facts.command}; command: says otherwise.`]),
  ];
  return `${commented(said)}\n${stringify({ name, services: { web: service } }, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** A berth.yaml to begin with, where there is nothing to begin from. */
export function anExample(folder: string): string {
  const name = applicationName(folder);
  return `${commented([
    'An application: what runs, from which image, how often. docs/berth.yaml of Berth shows every key.',
    `Push an image, and it rolls out: berth push ${name}/web:latest`,
  ])}
name: ${name}

services:
  web:
    # A repository of Berth's registry, with a tag or a digest.
    image: ${name}/web:latest
    replicas: 2
    # The container's port; Berth chooses the machine's. Leave it out if nothing listens.
    port: 8080
    health:
      # GET of this path must answer 2xx or 3xx; without it, the port must accept connections.
      path: /
    # Cores and MiB.
    resources:
      cpu: 0.25
      memory: 128
    # environment:
    #   GREETING: hello

# jobs:
#   report:
#     image: ${name}/report:latest
#     schedule:
#       cron: 0 7 * * *
#       timeZone: Europe/Berlin
`;
}

const commented = (lines: readonly string[]): string => lines.map((line) => `# ${line}`).join('\n');
