import type { Fields } from '../compose/map/rule.ts';
import { itemsOf, nodeAt, textOf } from '../compose/tree.ts';
import type { App } from './marathon-app.ts';

/** Where a program listens that is told so by PORT, when Marathon would choose. */
const CHOSEN = 8080;

/**
 * `portMappings` of a container with a network of its own, or `ports` and `portDefinitions` of the host, which become ports of
 * the container. Programs know them as PORT, PORT0, PORT1 and PORT_NAME.
 */
export function marathonPorts({ node, path, outcome, target }: App): Fields {
  const mapped = [
    nodeAt(node, 'container', 'portMappings'),
    nodeAt(node, 'container', 'docker', 'portMappings'),
  ].find((found) => found !== undefined);
  const isFixed = textOf(nodeAt(node, 'requirePorts')) === 'true';
  const wanted =
    mapped === undefined
      ? [...itemsOf(nodeAt(node, 'portDefinitions')), ...itemsOf(nodeAt(node, 'ports'))].map(
          (item, index) => {
            const said = Number(textOf(item.kind === 'map' ? nodeAt(item, 'port') : item) ?? 0);
            const container = said === 0 ? CHOSEN + index : said;
            return { item, container, machine: isFixed && said > 0 ? said : 0 };
          },
        )
      : itemsOf(mapped).map((item, index) => {
          const machine = Number(textOf(nodeAt(item, 'hostPort')) ?? 0);
          const said = Number(textOf(nodeAt(item, 'containerPort')) ?? 0);
          return { item, container: said === 0 ? CHOSEN + index : said, machine };
        });
  let port: number | undefined;
  const ports: Fields[] = [];
  const environment: Record<string, string> = {};
  for (const [index, { item, container, machine }] of wanted.entries()) {
    const protocol = textOf(nodeAt(item, 'protocol')) ?? 'tcp';
    const name = textOf(nodeAt(item, 'name'));
    if (protocol.includes('tcp')) port ??= container;
    if (machine > 0) {
      outcome.comesFrom(['services', target, 'ports', ports.length], item);
      ports.push({
        machine,
        ...(machine === container ? {} : { container }),
        ...(protocol === 'udp' ? { protocol } : {}),
      });
    } else if (protocol === 'udp' || (protocol.includes('tcp') && port !== container))
      outcome.note(
        item,
        [...path, 'ports', index],
        `services reach the port ${container} by name; of the machine's ports Berth chooses one, for ${port ?? 'tcp'}.`,
      );
    environment[`PORT${index}`] = String(container);
    if (index === 0) environment['PORT'] = String(container);
    if (name !== undefined) environment[`PORT_${name.toUpperCase().replace(/\W/g, '_')}`] = String(container);
  }
  const networks = [
    textOf(nodeAt(node, 'container', 'docker', 'network')),
    ...itemsOf(nodeAt(node, 'networks')).map((one) => textOf(nodeAt(one, 'mode'))),
  ];
  if (networks.some((network) => network?.toLowerCase() === 'host') && wanted.length === 0)
    outcome.refuse(
      node,
      [...path, 'networks'],
      'each container of Berth has a network of its own: say which ports it listens on.',
    );
  return {
    ...(port === undefined ? {} : { port }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
  };
}
