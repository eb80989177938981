import { filesOf } from './files.ts';
import type { RunningDataCentre } from './start-data-centre.ts';

/** What is there now, and what to try next, each command as it must be typed. */
export function summary(
  { dataCentre, engine }: RunningDataCentre,
  addresses: readonly string[],
  once: boolean,
): readonly string[] {
  const { gateway, ports } = dataCentre;
  const there = [
    '',
    `examples/hello runs on a machine that Berth provisioned, ${addresses.length} replicas:`,
    ...addresses.map((address) => `  ${address}`),
  ];
  if (once) return there;
  const registry = `127.0.0.1:${ports.app}`;
  return [
    ...there,
    '',
    `API       https://${gateway}:${ports.app}/api/v1`,
    `Registry  ${registry}`,
    '',
    'Try next, in another terminal in this folder:',
    '  npx berth status',
    '  npx berth ps',
    '  npx berth logs hello/web',
    '  npx berth jobs run hello/greet',
    '  npx berth events',
    '  npx berth machines list',
    '',
    'Push another version; the push rolls it out:',
    `  export DOCKER_HOST=unix://${engine.socket} DOCKER_CONFIG=${filesOf(dataCentre.directory).docker}`,
    `  docker build --build-arg BASE=${registry}/library --build-arg VERSION=2 --tag ${registry}/hello/web:latest examples/hello`,
    `  docker push ${registry}/hello/web:latest`,
    '',
    'Ctrl-C stops everything that was started; the next `npm start` finds it again.',
  ];
}
