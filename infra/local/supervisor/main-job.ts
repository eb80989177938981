import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Terminal } from '../../../shared/model/errors.ts';
import { Replica, RolloutStatus } from '../../../shared/model/service.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import type { Progress } from './progress.ts';
import { pushExample } from './push-example.ts';
import type { RunningDataCentre } from './start-data-centre.ts';

const Service = z.object({
  service: z.object({
    revision: z.number().optional(),
    rollout: RolloutStatus,
    replicas: z.object({ wanted: z.number() }),
  }),
  replicas: z.array(Replica),
});
const Machines = z.object({
  machines: z.array(z.object({ name: z.string(), status: z.object({ state: z.string() }) })),
});

const SERVICE = '/api/v1/environments/dev/services/hello/web';
/** Longest that replicas may take to answer: those of an earlier start come up again with their machine; milliseconds. */
const ANSWER_MS = 60_000;
/** Longest that the main job may take from push to healthy replicas, a machine's first boot included; milliseconds. */
const DEADLINE_MS = 10 * 60_000;

export interface MainJobOptions {
  readonly checkout: string;
  readonly cache: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** Where each healthy replica answers: http://address:port/ */
  readonly addresses: readonly string[];
}

/**
 * The main job before the user's eyes: deploy the example, push its image, watch the push roll it out, ask each replica.
 * What an earlier start left is found again as the user made it: another version, another number of replicas.
 */
export async function mainJob(running: RunningDataCentre, options: MainJobOptions): Promise<Outcome> {
  const { progress, signal } = options;
  const { gateway, ports } = running.dataCentre;
  const api = apiClient(`https://${gateway}:${ports.app}`, running.keys.admin);
  if (await isThere(api)) {
    const addresses = await progress.step('examples/hello of the earlier start: ask its replicas', (note) =>
      answering(api, note, signal),
    );
    return { addresses };
  }
  await pushExample(running, options, api);
  await progress.step('the push rolls it out: machine, Docker, two replicas, health', (note) =>
    rolledOut(api, note, signal),
  );
  const addresses = await progress.step('ask both replicas', (note) => answering(api, note, signal));
  return { addresses };
}

/** Whether some revision of the example was healthy once. */
async function isThere(api: ApiClient): Promise<boolean> {
  const Services = z.object({ services: z.array(z.object({ healthyRevision: z.number().optional() })) });
  const { services } = await api.get('/api/v1/environments/dev/services?application=hello', Services);
  return services.some(({ healthyRevision }) => healthyRevision !== undefined);
}

async function rolledOut(api: ApiClient, note: (text: string) => void, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let shown = '';
  for (;;) {
    const { service, replicas } = await api.get(SERVICE, Service);
    const { machines } = await api.get('/api/v1/machines', Machines);
    const current = replicas.filter(({ revision }) => revision === service.revision);
    const healthy = current.filter(({ status }) => status.state === 'healthy');
    const { rollout } = service;
    if (rollout.state === 'failed') throw failed(rollout);
    if (rollout.state === 'done' && healthy.length >= 2) return;
    const text = [
      ...machines.map(({ name, status }) => `machine ${name} ${status.state}`),
      `revision ${service.revision ?? 'none yet'}: ${current.map(({ slot, status }) => `replica ${slot} ${status.state}`).join(', ') || rollout.state}`,
    ].join('; ');
    if (text !== shown) note(text);
    shown = text;
    if (Date.now() > deadline)
      throw new Terminal({
        code: 'rollout-slow',
        message: `Two healthy replicas did not come up within ${DEADLINE_MS / 60_000} minutes. Last seen: ${text}`,
        remedy: 'See `npx berth events`, `npx berth machines list` and the logs under .berth/logs.',
      });
    await sleep(250, undefined, { signal });
  }
}

const failed = (rollout: Extract<RolloutStatus, { state: 'failed' }>): Terminal =>
  new Terminal({
    code: rollout.code,
    message: [
      `The rollout failed: ${rollout.reason}`,
      ...(rollout.lastLines ?? []).map((line) => `  ${line}`),
    ].join('\n'),
    remedy: 'Mend what the last lines name and push again.',
  });

/** Asks every healthy replica, and again until all answer: those of an earlier start are recorded before they are up. */
async function answering(
  api: ApiClient,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = Date.now() + ANSWER_MS;
  for (;;) {
    const { service, replicas } = await api.get(SERVICE, Service);
    const addresses = replicas
      .filter(({ status }) => status.state === 'healthy')
      .map(({ address, port }) => `http://${address}:${port}/`);
    const answers = await Promise.allSettled(addresses.map(ask));
    const silent = answers.find((answer) => answer.status === 'rejected');
    if (silent === undefined && addresses.length >= service.replicas.wanted) {
      for (const [index, answer] of answers.entries())
        if (answer.status === 'fulfilled') note(`${addresses[index]} says: ${answer.value}`);
      return addresses;
    }
    if (Date.now() > deadline) throw silent?.reason ?? silence(`${addresses.length} replicas are healthy`);
    await sleep(250, undefined, { signal });
  }
}

async function ask(address: string): Promise<string> {
  const response = await fetch(address, { signal: AbortSignal.timeout(10_000) });
  const text = (await response.text()).trim();
  if (response.ok && text !== '') return text;
  throw silence(`${address} answered ${response.status} with ${text.length} characters`);
}

const silence = (what: string): Terminal =>
  new Terminal({
    code: 'replicas-silent',
    message: `Every replica of hello/web was expected to answer; ${what}.`,
    remedy: 'See `npx berth ps` and `npx berth logs hello/web`.',
  });
