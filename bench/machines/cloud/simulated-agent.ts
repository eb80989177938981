import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Running } from '../../../infra/local/data-centre.ts';
import type { MachineRequest } from '../../../infra/local/machine-runtime/machine-runtime.ts';
import type {
  BootRequest,
  MachineObservation,
  RegistrationRequest,
} from '../../../shared/machines/observation.ts';

/** Milliseconds between reports, as in agent.ts; and until what was refused is tried again. */
const EVERY = 10_000;
const AGAIN = 1_000;

const CustomData = z.object({
  write_files: z.array(z.object({ path: z.string(), content: z.string() })),
});
const Configuration = z.object({ app: z.url(), machine: z.string() });

/** All machines have the same key: making one for each would be this computer's work, which a machine does itself. */
const keys = crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);

/** Says what the agent of a machine says: registration, the end of cloud-init, and reports until it is closed. */
export function startAgent(
  { name, address, customData }: MachineRequest,
  token: () => Promise<string>,
  report: (line: string) => void,
): Running {
  const closing = new AbortController();
  const { signal } = closing;
  const { app, machine } = configurationOf(customData);
  const post = async (call: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
    for (;;) {
      const answer = await fetch(`${app}/api/v1/machines/${machine}/${call}`, {
        ...{ method: 'POST', headers, body: JSON.stringify(body), signal },
      }).catch((error: unknown) => {
        if (signal.aborted) throw error;
        return error as Error;
      });
      const text = answer instanceof Error ? answer.message : await answer.text();
      if (answer instanceof Response && answer.ok) return;
      report(`${name} ${call}: ${text}`);
      await sleep(AGAIN, undefined, { signal });
    }
  };
  let bearer = '';
  const live = async (): Promise<void> => {
    bearer = await token();
    const registration: RegistrationRequest = { csr: await requestFor(machine, address) };
    await post('registration', registration);
    const observation = (): MachineObservation => ({
      ...{
        time: new Date().toISOString(),
        containers: [],
        usage: { cpu: 0, memory: 100, disk: 1000 },
        died: [],
      },
    });
    await post('observations', observation());
    const boot: BootRequest = { status: 'done', errors: [], engine: true };
    await post('boot', boot);
    for (;;) {
      await sleep(EVERY, undefined, { signal });
      await post('observations', observation());
    }
  };
  const ended = live().catch((error: unknown) => {
    if (!signal.aborted) report(`${name}: ${error}`);
  });
  return {
    close: async () => {
      closing.abort();
      await ended;
    },
  };
}

/** /etc/berth/agent.json, as cloud-init would write it. */
function configurationOf(customData: string): z.infer<typeof Configuration> {
  const { write_files } = CustomData.parse(parse(Buffer.from(customData, 'base64').toString()));
  const file = write_files.find(({ path }) => path === '/etc/berth/agent.json');
  return Configuration.parse(JSON.parse(file?.content ?? '{}'));
}

async function requestFor(name: string, address: string): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys: await keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: name },
        { type: 'ip', value: address },
      ]),
    ],
  });
  return request.toString('pem');
}
