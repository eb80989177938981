import { createHash } from 'node:crypto';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { Digest, type ImageReference } from '../../../shared/model/image.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { type Answering, answer, eventTypes, type Start } from '../../../shared/workloads/answer.ts';
import { stores } from '../../../shared/workloads/stores.ts';
import { trustsAll } from '../../support/trusts-all.ts';

export const digestOf = (letter: string): Digest => Digest.parse(`sha256:${letter.repeat(64)}`);

/** A registry's tags, and orchestrations of which none runs unless said. */
export function answeringWorld(trust = trustsAll) {
  const tags = new Map<string, Digest>();
  const live = new Set<string>();
  const made = stores(memoryTables());
  const now = new Date('2026-11-25T12:00:00Z');
  const answering: Answering = {
    stores: made,
    images: {
      resolve: async ({ repository, tag, digest }: ImageReference) =>
        digest ?? tags.get(`${repository}:${tag}`),
    },
    trust,
    isLive: async (id) => live.has(id),
    now,
  };
  let count = 0;
  const send = (event: CloudEvent): Promise<readonly Start[]> =>
    answer(
      event,
      createHash('sha256').update(`${event.source}\n${event.id}`).digest('hex').slice(0, 40),
      answering,
    );
  const event = (type: string, source: string, data: unknown, id?: string): CloudEvent => {
    count += 1;
    const time = new Date(now.getTime() + count * 1000).toISOString();
    return CloudEvent.parse({ specversion: '1.0', id: id ?? String(count), source, type, time, data });
  };
  const command = (data: Record<string, unknown>) =>
    event(eventTypes.command, 'api', { environment: 'dev', ...data });
  return {
    answering,
    stores: made,
    tags,
    live,
    send,
    event,
    command,
    deploy: (application: unknown) =>
      command({ type: 'deploy', application: ApplicationSpec.parse(application) }),
    /** What the registry does: the tag and its event together. */
    push(repository: string, tag: string, digest: Digest) {
      tags.set(`${repository}:${tag}`, digest);
      return event(eventTypes.push, `registry/${repository}`, { repository, tag, digest, mediaType: 'x' });
    },
  };
}
