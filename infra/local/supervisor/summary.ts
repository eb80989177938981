import type { RunningDataCentre } from './start-data-centre.ts';

/** What is there now, and what to try next, each command as it must be typed. */
export function summary(
  { dataCentre }: RunningDataCentre,
  addresses: readonly string[],
  once: boolean,
): readonly string[] {
  const { gateway, ports } = dataCentre;
  const there = [
    '',
    'Two replicas of examples/hello run on a machine that Berth provisioned:',
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
    '  npx berth logs hello/web --follow',
    '  npx berth jobs run hello/greet',
    '  npx berth events',
    '  npx berth machines list',
    '',
    'Ctrl-C stops everything that was started; the next `npm start` finds it again.',
  ];
}
