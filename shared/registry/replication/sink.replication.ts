import { CloudEvent } from '../../model/cloud-event.ts';
import { Retryable, Terminal } from '../../model/errors.ts';
import type { RegistryCredential } from '../../model/registry-address.ts';
import type { ReplicationSink } from '../../model/subscription.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import type { Delivered, OpenSink } from '../subscriptions/sinks.ts';
import { connection } from '../upstream/connection.ts';
import { httpTarget } from '../upstream/target.http.ts';
import { follow } from './follow.ts';
import { viaOf, viaText } from './via.ts';

/** Another registry as where events go: what they tell of is done there too. */
export function replicationSink(
  sink: ReplicationSink,
  parts: {
    readonly blobs: Blobs;
    readonly tables: Tables;
    readonly credential: RegistryCredential | undefined;
    /** Host of our registry. */
    readonly hostname: string;
    readonly now: () => Date;
  },
): OpenSink {
  const { credential, hostname, now } = parts;
  const open = connection(sink.registry, { credential, now });
  return {
    async send({ body, type }) {
      const event = CloudEvent.parse(JSON.parse(new TextDecoder().decode(body)));
      const via = viaText([...viaOf(userAgentOf(event)), hostname]);
      const target = httpTarget(open, via);
      try {
        if (type !== 'dev.berth.registry.ping')
          return { outcome: 'accepted', answer: await follow(parts, sink, target, event) };
        await target.ping();
        return { outcome: 'accepted', answer: `${target.host} answers` };
      } catch (error) {
        return failed(error);
      }
    },
    close: async () => open.close(),
  };
}

function userAgentOf({ data }: CloudEvent): string | undefined {
  const agent = (data as { origin?: { userAgent?: unknown } } | undefined)?.origin?.userAgent;
  return typeof agent === 'string' ? agent : undefined;
}

/** A credential may be mended, a repository may be made; an answer that is wrong stays so. */
function failed(error: unknown): Delivered {
  if (!(error instanceof Terminal || error instanceof Retryable)) throw error;
  const retryAfter =
    error instanceof Retryable && error.afterMs !== undefined ? Math.ceil(error.afterMs / 1000) : undefined;
  return {
    outcome: 'failed',
    reason: error.message,
    retryAfter,
    final: error.code === 'upstream-answer-invalid',
  };
}
