import type { Fields } from '../compose/map/rule.ts';
import { itemsOf, nodeAt, type TreeNode, textOf } from '../compose/tree.ts';
import type { App } from './marathon-app.ts';

/** What Marathon takes where nothing is said. Seconds. */
const USUAL = { gracePeriodSeconds: 300, intervalSeconds: 60, timeoutSeconds: 20, maxConsecutiveFailures: 3 };

/** The first health check is the service's; a readiness check says how it is begun. */
export function marathonHealth({ node, path, outcome }: App, { port }: Fields): Fields {
  const [check, ...others] = itemsOf(nodeAt(node, 'healthChecks'));
  const [ready] = itemsOf(nodeAt(node, 'readinessChecks'));
  for (const [index, other] of others.entries())
    outcome.refuse(other, [...path, 'healthChecks', index + 1], 'a service of Berth has one check.');
  if (check === undefined && ready === undefined) return {};
  const said = (from: TreeNode | undefined, name: keyof typeof USUAL): number => {
    const text = textOf(nodeAt(from, name));
    return text === undefined ? USUAL[name] : Number(text);
  };
  const how = check ?? ready;
  const protocol = (textOf(nodeAt(how, 'protocol')) ?? 'HTTP').replace(/^MESOS_/, '');
  const probe = probeOf(protocol, how);
  if (probe === undefined)
    outcome.refuse(
      how ?? node,
      [...path, 'healthChecks', 0, 'protocol'],
      `Berth asks by HTTP, TCP or a command, not by ${protocol}.`,
    );
  const other = textOf(nodeAt(how, 'port'));
  if (other !== undefined && port !== undefined && Number(other) !== port)
    outcome.refuse(
      how ?? node,
      [...path, 'healthChecks', 0, 'port'],
      `the port that is checked is that of the service, ${String(port)}: found ${other}.`,
    );
  const interval = said(ready ?? check, 'intervalSeconds');
  const timeout = said(ready ?? check, 'timeoutSeconds');
  const own = port === undefined && other !== undefined ? { port: Number(other) } : {};
  const health = {
    ...probe,
    interval,
    timeout,
    deadline: Math.min(
      3600,
      Math.max(1, said(check, 'gracePeriodSeconds') + said(check, 'maxConsecutiveFailures') * interval),
    ),
  };
  const failures = said(check, 'maxConsecutiveFailures');
  // 0: never killed for it.
  if (check === undefined || failures === 0) return { ...own, health };
  const liveness = {
    ...probe,
    interval: said(check, 'intervalSeconds'),
    timeout: said(check, 'timeoutSeconds'),
    failures,
  };
  return { ...own, health: { ...health, liveness } };
}

function probeOf(protocol: string, check: TreeNode | undefined): Fields | undefined {
  if (protocol === 'TCP') return {};
  if (protocol === 'HTTP') return { path: textOf(nodeAt(check, 'path')) ?? '/' };
  const command = textOf(nodeAt(check, 'command', 'value'));
  return protocol === 'COMMAND' && command !== undefined
    ? { command: ['/bin/sh', '-c', command] }
    : undefined;
}
