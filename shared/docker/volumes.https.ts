import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { EngineCall } from './connection.ts';
import { faults } from './faults.ts';
import type { Volumes } from './volumes.ts';

const Inspected = z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullish() });

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Volume @param call under the agreed version */
export function httpsVolumes(call: (given: EngineCall) => Promise<IncomingMessage>): Volumes {
  return {
    async inspect(name) {
      const response = await call({ method: 'GET', path: `/volumes/${encodeURIComponent(name)}` });
      const text = await textOf(response);
      if (response.statusCode === 404) return undefined;
      if (response.statusCode !== 200) throw faultOf('inspect a volume', response, text);
      const { Name, Labels } = Inspected.parse(JSON.parse(text));
      return { name: Name, labels: Labels ?? {} };
    },
    async create({ name, labels }) {
      const body = { Name: name, Driver: 'local', Labels: labels };
      const response = await call({ method: 'POST', path: '/volumes/create', body });
      const text = await textOf(response);
      if (response.statusCode !== 201) throw faultOf('create a volume', response, text);
    },
    async remove(name) {
      const response = await call({ method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}` });
      const text = await textOf(response);
      if (response.statusCode === 204 || response.statusCode === 404) return;
      if (response.statusCode === 409) throw faults.volumeInUse(name, text.slice(0, 500));
      throw faultOf('remove a volume', response, text);
    },
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  return text;
}

function faultOf(what: string, { statusCode = 500 }: IncomingMessage, text: string): Error {
  const detail = text.slice(0, 500);
  return statusCode >= 500
    ? faults.failed(what, statusCode, detail)
    : faults.refused(`to ${what}`, statusCode, detail);
}
