import { itemsOf, nodeAt, textOf } from '../tree.ts';
import { comesFrom, type Rule } from './rule.ts';

const ANY_ADDRESS = new Set([undefined, '', '0.0.0.0', '::']);

/**
 * What is published becomes a fixed port of the machine; what is not gets one that Berth chooses, of which a service has one.
 * The first port is the one that is checked and that routes lead to.
 */
export const ports: Rule = (node, here) => {
  const fixed: Record<string, unknown>[] = [];
  let port: number | undefined;
  for (const [index, item] of itemsOf(node).entries()) {
    const path = [...here.path, index];
    const target = Number(textOf(nodeAt(item, 'target')));
    const published = textOf(nodeAt(item, 'published'));
    const protocol = textOf(nodeAt(item, 'protocol')) ?? 'tcp';
    const address = textOf(nodeAt(item, 'host_ip'));
    const refuse = (reason: string): void => here.outcome.refuse(item, path, reason);
    if (protocol !== 'tcp' && protocol !== 'udp') refuse(`expected tcp or udp, found ${protocol}.`);
    else if (!ANY_ADDRESS.has(address))
      refuse(
        `a port is published on the machine's address, not on ${address}: leave the address away, or the whole port if only services use it.`,
      );
    else if (published === undefined && protocol === 'udp')
      refuse('Berth chooses ports of machines for tcp: say which, such as 53:53/udp.');
    else if (published !== undefined && !/^\d+$/.test(published))
      refuse(
        `expected one port of the machine, found the range ${published}: leave it away, and Berth chooses one.`,
      );
    else if (published === undefined && port !== undefined && port !== target)
      refuse(
        `Berth chooses a machine's port for one port of a service, which is ${port} here: say which it is to be, such as ${target}:${target}.`,
      );
    else {
      if (protocol === 'tcp') port ??= target;
      if (published !== undefined) {
        comesFrom(here, item, ['ports', fixed.length], [index]);
        fixed.push({
          machine: Number(published),
          ...(Number(published) === target ? {} : { container: target }),
          ...(protocol === 'tcp' ? {} : { protocol }),
        });
      }
    }
  }
  return {
    ...(port === undefined ? {} : { port }),
    ...(fixed.length === 0 ? {} : { ports: fixed }),
  };
};

/** Containers reach all ports of each other; the first that is exposed is the one that is checked. */
export const expose: Rule = (node, here) => {
  if (itemsOf(nodeAt(here.project.services.get(here.service), 'ports')).length > 0) return undefined;
  const first = itemsOf(node)
    .map((item) => /^(\d+)(\/tcp)?$/.exec(textOf(item) ?? '')?.[1])
    .find((found) => found !== undefined);
  return first === undefined ? undefined : { port: Number(first) };
};
