import type { Machine } from '../../model/machine.ts';
import type { GoldenImage } from './golden-image.ts';
import type { TaggedImage } from './machine-images.ts';

/** What an image that a pool wants is made of. */
export interface WantedImage {
  readonly profile: string;
  readonly base: string;
  /** Sizes of the pools that want it, in their order of preference. */
  readonly sizes: readonly string[];
}

/** What is known at one moment. */
export interface SightedImages {
  readonly now: Date;
  readonly wanted: readonly WantedImage[];
  readonly records: readonly GoldenImage[];
  /** What ARM has of ours; its lists may lag a minute behind. */
  readonly resources: readonly TaggedImage[];
  readonly machines: readonly Pick<Machine, 'golden' | 'status'>[];
  /** Owners of records whose orchestration is going on. */
  readonly going: ReadonlySet<string>;
}

export type GoldenStep =
  | {
      readonly step: 'build';
      readonly wanted: WantedImage;
      readonly attempt: number;
      readonly reason: string;
    }
  | {
      readonly step: 'give-up';
      readonly image: GoldenImage;
      readonly code: string;
      readonly reason: string;
    }
  /** Nothing new boots from it. */
  | { readonly step: 'withdraw'; readonly image: GoldenImage; readonly reason: string }
  /** It is wanted again. */
  | { readonly step: 'take-back'; readonly image: GoldenImage; readonly reason: string }
  | { readonly step: 'delete-resource'; readonly name: string; readonly reason: string }
  | { readonly step: 'forget'; readonly image: GoldenImage; readonly reason: string };

const MINUTE = 60_000;
/** Younger ones may belong to an orchestration that is just beginning, or be missing in ARM's lists. */
const SPARED = 3 * MINUTE;
/** How long one that is not wanted stays: two versions of the app may both be running during an upgrade. */
const LEAVING = 10 * MINUTE;
/** So many failed machines make an image unfit: pools then do without, and it is made anew. */
const FAILED_BOOTS = 2;
/** Minutes to wait after so many failures. */
const BACK_OFF = [0, 1, 5, 15, 60];

/** Images that are missing, in vain, or left over. Pure. */
export function goldenSteps(sighted: SightedImages): readonly GoldenStep[] {
  const { wanted, records } = sighted;
  const missing = wanted
    .filter(({ profile }) => !records.some((image) => image.profile === profile))
    .map((one) => ({
      step: 'build' as const,
      wanted: one,
      attempt: 1,
      reason: `a pool of ${one.base} wants it`,
    }));
  return [...missing, ...records.flatMap((image) => stepsOf(image, sighted)), ...orphans(sighted)];
}

function stepsOf(image: GoldenImage, sighted: SightedImages): GoldenStep[] {
  const { now, resources, machines, going } = sighted;
  const { status } = image;
  const wanted = sighted.wanted.find(({ profile }) => profile === image.profile);
  const exists = resources.some(({ name }) => name === image.name);
  switch (status.state) {
    case 'building': {
      if (going.has(status.owner) || age(now, status.since) <= SPARED) return [];
      const reason = `the orchestration ${status.owner} is gone`;
      return [{ step: 'give-up', image, code: 'build-interrupted', reason }];
    }
    case 'ready': {
      if (wanted === undefined) return [{ step: 'withdraw', image, reason: 'no pool wants it' }];
      const lame = failedToBoot(status.id, machines);
      if (lame >= FAILED_BOOTS) {
        const reason = `${lame} machines did not come up from it, and none did`;
        return [{ step: 'give-up', image, code: 'image-unfit', reason }];
      }
      if (exists || age(now, status.since) <= SPARED) return [];
      const reason = `Azure has no image ${image.name} any more`;
      return [{ step: 'give-up', image, code: 'image-gone', reason }];
    }
    case 'leaving': {
      if (wanted !== undefined && exists) return [{ step: 'take-back', image, reason: 'a pool wants it' }];
      if (!exists) return [{ step: 'forget', image, reason: 'it is gone' }];
      const isUsed = machines.some(({ golden }) => golden === status.id);
      return isUsed || age(now, status.since) <= LEAVING
        ? []
        : [{ step: 'delete-resource', name: image.name, reason: 'no pool wants it and no machine has it' }];
    }
    case 'failed': {
      if (exists) return [{ step: 'delete-resource', name: image.name, reason: `it failed: ${status.code}` }];
      if (wanted === undefined) return [{ step: 'forget', image, reason: 'it failed, and no pool wants it' }];
      return now.getTime() < nextAttempt(image)
        ? []
        : [{ step: 'build', wanted, attempt: image.attempt + 1, reason: `${status.code} at ${status.at}` }];
    }
  }
}

/** How many machines have failed that boot from an image of which none has come up. */
function failedToBoot(id: string, machines: SightedImages['machines']): number {
  const states = machines.filter(({ golden }) => golden === id).map(({ status }) => status);
  const cameUp = states.some(
    ({ state }) => !['provisioning', 'booting', 'failed', 'retiring'].includes(state),
  );
  return cameUp ? 0 : states.filter((one) => one.state === 'failed' && BOOT_FAILURES.has(one.code)).length;
}

const BOOT_FAILURES: ReadonlySet<string> = new Set(['machine-not-registered', 'cloud-init-failed']);

/** Images without a record: an attempt was interrupted, or the record was lost. */
function orphans(sighted: SightedImages): GoldenStep[] {
  return orphanImages(sighted).map(({ name }) => ({
    step: 'delete-resource',
    name,
    reason: `${name} has no record`,
  }));
}

export const orphanImages = ({
  now,
  records,
  resources,
  machines,
}: Pick<SightedImages, 'now' | 'records' | 'resources' | 'machines'>): readonly TaggedImage[] =>
  resources
    .filter(({ name }) => !records.some((image) => image.name === name))
    .filter(({ id }) => !machines.some(({ golden }) => golden === id))
    .filter(({ createdAt }) => createdAt === undefined || age(now, createdAt) > SPARED);

/** When a failed image is tried again; milliseconds since 1970. */
export function nextAttempt({ failures, status }: Pick<GoldenImage, 'failures' | 'status'>): number {
  if (status.state !== 'failed') return 0;
  return Date.parse(status.at) + (BACK_OFF[Math.min(failures, BACK_OFF.length - 1)] ?? 0) * MINUTE;
}

const age = (now: Date, since: string): number => now.getTime() - Date.parse(since);
