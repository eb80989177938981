import { z } from 'zod';
import { Terminal } from '../../model/errors.ts';
import { Invalid } from '../../model/invalid.ts';
import { plainIssues } from '../../model/plain-issues.ts';
import { tellAcr } from './acr.ts';
import { tellDistribution } from './distribution.ts';
import { tellDockerHub } from './docker-hub.ts';
import { tellEventGrid } from './event-grid.ts';
import { tellGitHub } from './github-packages.ts';
import { tellHarbor } from './harbor.ts';
import type { PushSender, Told } from './outside-push.ts';
import { tellQuay } from './quay.ts';
import { tellZot } from './zot.ts';

/** A delivery whose sender was proved. */
export interface Delivery {
  readonly body: Uint8Array;
  readonly headerOf: (name: string) => string | null;
  /** What its sender calls it, where it does. */
  readonly id: string;
  readonly now: Date;
}

/**
 * What a delivery tells, in the shape of its sender.
 * @param host of the registry, as the hook says it; the payload's own word otherwise
 * @throws Invalid `push-malformed` with what is wrong and where; Terminal `push-host-unknown`
 */
export function parseDelivery(from: PushSender, host: string | undefined, delivery: Delivery): Told {
  try {
    return tell(from, host, delivery);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new Invalid({
      code: 'push-malformed',
      message: `The delivery is not what ${from} sends of a push.`,
      remedy: 'See docs/events.md, "Pushes to other registries", for the shapes that are known.',
      issues: plainIssues(error.issues),
    });
  }
}

function tell(from: PushSender, host: string | undefined, { body, headerOf, id, now }: Delivery): Told {
  const payload = parseJson(body, from);
  switch (from) {
    case 'docker-hub':
      return tellDockerHub(payload);
    case 'acr':
      return tellAcr(payload, host);
    case 'event-grid':
      return tellEventGrid(payload, host);
    case 'harbor':
      return tellHarbor(payload, host);
    case 'github':
      return tellGitHub(payload, host, id);
    case 'distribution':
      return tellDistribution(payload, host);
    case 'zot':
      return tellZot(payload, host, headerOf);
    case 'quay':
      return tellQuay(payload, host, now);
  }
}

function parseJson(body: Uint8Array, from: PushSender): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Terminal({
      code: 'push-malformed',
      message: `The delivery of ${from} is no JSON: ${error instanceof Error ? error.message : String(error)}.`,
      remedy: 'Have the sender send JSON (content type application/json).',
    });
  }
}
