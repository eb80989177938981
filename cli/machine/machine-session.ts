import type { Command } from 'commander';
import { getMachine } from '../../shared/api/routes/machines.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { type Session, withSession } from '../session.ts';
import {
  type ClientCertificate,
  ensureClientCertificate,
  readClientCertificate,
} from './client-certificate.ts';
import { type DataFolder, dataFolder } from './data-folder.ts';
import { contextName, dockerFolder, renewContexts, writeContext } from './docker-context.ts';
import { engineUrl } from './machine-address.ts';

/** What verbs of machines work with besides. */
export interface MachineSession extends Session {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly folder: DataFolder;
  /** Docker's configuration folder. */
  readonly docker: string;
  find(name: string): Promise<Machine>;
}

/** Runs a verb of machines; renews the user's certificate where there is one and it is near its end. @throws Failure */
export const withMachines = (
  command: Command,
  run: (session: MachineSession) => Promise<void>,
): Promise<void> =>
  withSession(command, async (session) => {
    const { client, output } = session;
    const folder = dataFolder(process.env, client.connection.url);
    const docker = dockerFolder(process.env);
    const machines: MachineSession = {
      ...{ ...session, variables: process.env, folder, docker },
      find: async (name) => (await client.call(getMachine, { params: { machine: name } })).machine,
    };
    await run(machines);
    if (readClientCertificate(folder) === undefined) return;
    await certificateOf(machines).catch((error: unknown) =>
      output.say(
        `The certificate for docker was not renewed: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
  });

/**
 * The user's certificate, now good, and in all contexts of this installation.
 * @param anew also if that which is kept is good
 * @throws Failure
 */
export async function certificateOf(
  { client, folder, docker }: MachineSession,
  anew = false,
): Promise<ClientCertificate> {
  const certificate = await ensureClientCertificate(client, folder, anew);
  if (certificate.isNew) renewContexts(docker, client.connection.url.origin, certificate);
  return certificate;
}

/** Makes docker's context of a machine what it should be; says so where somebody else has the name. @throws Failure */
export async function ensureContext(session: MachineSession, machine: Machine): Promise<ClientCertificate> {
  const { client, docker, output } = session;
  const certificate = await certificateOf(session);
  const name = contextName(machine.name);
  const context = { name, host: engineUrl(machine), installation: client.connection.url.origin };
  if (!writeContext(docker, context, certificate))
    output.say(
      `Docker has a context ${name} already that is not of this installation: it was left as it is. Remove it with docker context rm ${name}.`,
    );
  return certificate;
}
