import type { Machine } from '../../shared/model/machine.ts';
import { contextName, contextsOf, currentContext } from './docker-context.ts';

/**
 * The machine that docker works with: that of DOCKER_HOST; where it is not set, that of DOCKER_CONTEXT, and then that of
 * `docker context use`. https://docs.docker.com/engine/manage-resources/contexts/
 */
export function activeMachine(
  machines: readonly Machine[],
  variables: Readonly<Record<string, string | undefined>>,
  docker: string,
  installation: string,
): Machine | undefined {
  const host = variables['DOCKER_HOST'] ?? '';
  if (host !== '') {
    const address = /^(?:tcp|https):\/\/\[?([^\]/]+?)\]?(?::2376)?\/?$/.exec(host)?.[1];
    return machines.find((machine) =>
      [machine.publicAddress, machine.address, machine.hostname].some(
        (own) => own !== undefined && own === address,
      ),
    );
  }
  const context = variables['DOCKER_CONTEXT'] || currentContext(docker);
  if (context === undefined || !contextsOf(docker, installation).some(({ name }) => name === context))
    return undefined;
  return machines.find(({ name }) => contextName(name) === context);
}
