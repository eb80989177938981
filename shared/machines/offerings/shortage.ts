import { z } from 'zod';

/** What Azure had too little of when it refused a machine. */
export const Shortage = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('quota'),
    /** `family`: that of the size; `spot`: all spot machines of the region; `regional`: all regular ones. */
    of: z.enum(['family', 'spot', 'regional']),
    /** As Azure names it: `standardBSFamily`, `LowPriority`, `Total Regional`. */
    name: z.string(),
    location: z.string().optional(),
    limit: z.number().optional(),
    usage: z.number().optional(),
    required: z.number().optional(),
  }),
  /** The subscription cannot have the size at the moment, or at all; in one zone, where Azure names it. */
  z.object({ kind: z.literal('size'), zone: z.string().optional() }),
  /** No room for the size; `larger`: none for larger ones of its family either. */
  z.object({ kind: z.literal('allocation'), larger: z.boolean() }),
]);
export type Shortage = z.infer<typeof Shortage>;
type Quota = Extract<Shortage, { kind: 'quota' }>;

/**
 * Which quota a refusal is about, by Azure's text: "…exceeding approved <name> Cores quota. Additional details - …,
 * Location: <region>, Current Limit: <n>, Current Usage: <n>, Additional Required: <n>, …". undefined: about none.
 * https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota
 */
export function quotaOf(message: string): Quota | undefined {
  const named = /approved (.+?)\s*Cores quota/i.exec(message)?.[1];
  if (named === undefined) return undefined;
  const figure = (label: string): number | undefined => {
    const found = new RegExp(`${label}: (\\d+)`, 'i').exec(message)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const [limit, usage] = [figure('Current Limit'), figure('Current Usage')];
  const required = figure('Additional Required');
  const location = /Location: ([\w ]+)/i.exec(message)?.[1];
  return {
    kind: 'quota',
    of: /^Total Regional$/i.test(named)
      ? 'regional'
      : /^(Total Regional )?Low-?Priority$/i.test(named)
        ? 'spot'
        : 'family',
    name: named,
    ...(location !== undefined && { location }),
    ...(limit !== undefined && { limit }),
    ...(usage !== undefined && { usage }),
    ...(required !== undefined && { required }),
  };
}

/** Where more of a quota is asked for. */
export const QUOTA_LINK = 'https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade/~/myQuotas';

/** What to do about a quota that is used up. */
export function quotaRemedy({ name, location, limit, usage, required }: Omit<Quota, 'kind' | 'of'>): string {
  const where = location === undefined ? '' : ` in ${location}`;
  const figures =
    limit === undefined || usage === undefined ? '' : ` (limit ${limit} cores, ${usage} in use)`;
  const least = usage === undefined || required === undefined ? '' : `, at least ${usage + required} cores`;
  return `Ask Azure for more of the quota ${name}${where}${figures}${least}: ${QUOTA_LINK}. Or add a size of another family to the pool.`;
}
