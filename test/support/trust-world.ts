import { createHash } from 'node:crypto';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { EnvironmentName, PolicyName } from '../../shared/model/names.ts';
import { ServiceKey } from '../../shared/model/service.ts';
import { imageResolver } from '../../shared/registry/image-resolver.ts';
import { RepositoryPolicy } from '../../shared/registry/policy/policy.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { imageTrust } from '../../shared/registry/trust/image-trust.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { answer, eventTypes } from '../../shared/workloads/answer.ts';
import { placeOf, stores } from '../../shared/workloads/stores.ts';
import { type RegistryClient, registryClient } from './registry-client.ts';
import { testRegistry } from './registry-server.ts';

const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

/** A registry with its policies, and services that answer its events as the app does. */
export async function trustWorld() {
  const storage = { blobs: memoryBlobs(), tables: memoryTables() };
  const now = () => new Date();
  const policies = policyStore(storage.tables, now);
  const { handle, events } = await testRegistry(storage, { policies });
  const client: RegistryClient = registryClient(handle);
  const documents = stores(storage.tables);
  const trust = imageTrust({ ...storage, policies });
  const send = (event: CloudEvent) =>
    answer(event, createHash('sha256').update(`${event.source}\n${event.id}`).digest('hex').slice(0, 40), {
      stores: documents,
      images: imageResolver(storage.tables),
      trust,
      isLive: async () => false,
      now: now(),
    });
  return {
    ...storage,
    client,
    handle,
    trust,
    policies,
    demand(rule: object, repositories = '**') {
      const name = PolicyName.parse(['for', ...(repositories.match(/[a-z]+/g) ?? ['all'])].join('-'));
      return policies.put(name, RepositoryPolicy.parse({ repositories, trust: [rule] }));
    },
    async deploy(image: string) {
      const application = ApplicationSpec.parse({ name: 'shop', services: { web: { image } } });
      const data = { type: 'deploy', environment: EnvironmentName.parse('dev'), application };
      const time = now().toISOString();
      await send(
        CloudEvent.parse({
          specversion: '1.0',
          id: time,
          source: 'api',
          type: eventTypes.command,
          time,
          data,
        }),
      );
    },
    /** Answers what was pushed since. @returns how many rollouts began */
    async settle(): Promise<number> {
      let started = 0;
      for (const event of events.splice(0)) started += (await send(event)).length;
      return started;
    },
    service: async () => (await documents.services.get(...placeOf.service(web)))?.value,
  };
}
