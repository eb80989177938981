import { quotaOf, quotaRemedy, type Shortage } from './offerings/shortage.ts';

/** What ARM's words mean for the machine that was asked for. */
export interface Refusal {
  /** Our code: stands in the machine's status. */
  readonly code: string;
  /** ARM's own code and words. */
  readonly reason: string;
  /** `next-size`: another offering may be had; `again`: the same may be had in a moment; `give-up`: neither. */
  readonly answer: 'next-size' | 'again' | 'give-up';
  /** What there is too little of: not asked for again for a while. */
  readonly shortage?: Shortage;
  /** What to do, where Azure's words tell more than the code. */
  readonly remedy?: string;
}

const ALLOCATION = /^((Zonal)?AllocationFailed|Overconstrained(Zonal)?AllocationRequest)$/;
/** https://learn.microsoft.com/azure/virtual-machines/error-codes-spot */
const SPOT_SIZE =
  /^(AzureSpotIsNotSupportedForThisVMSize|AzureSpotVMNotSupportedForThisVMSize|SpotPriceGreaterThanProvidedMaxPrice)$/;
const BUSY =
  /^(AnotherOperationInProgress|RetryableError|TooManyRequests|Conflict|InternalServerError|InternalExecutionError|NicReservedForAnotherVm|NicInUse|PropertyChangeNotAllowed|OSProvisioningTimedOut)$/;

/**
 * ARM's error codes as answers. `PropertyChangeNotAllowed` (a VM of that name is there in another zone or with other
 * customData) and `OSProvisioningTimedOut` end with a new attempt, which has new names.
 * https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 * https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
 */
export function refusalOf(code: string, message: string): Refusal {
  const reason = `${code}: ${message}`;
  if (code === 'SkuNotAvailable' || SPOT_SIZE.test(code)) {
    const zone = /zones? '(\d+)'/.exec(message)?.[1];
    const shortage: Shortage = { kind: 'size', ...(zone !== undefined && { zone }) };
    return { code: 'size-unavailable', reason, answer: 'next-size', shortage };
  }
  if (code === 'AzureSpotFeatureNotEnabledForSubscription') {
    const shortage: Shortage = { kind: 'quota', of: 'spot', name: 'LowPriority', limit: 0 };
    return { code: 'size-unavailable', reason, answer: 'next-size', shortage };
  }
  if (ALLOCATION.test(code)) {
    // Without room for a size there is none for larger ones; a request with too many constraints says nothing of them.
    const larger = !code.startsWith('Overconstrained');
    return {
      code: 'size-unavailable',
      reason,
      answer: 'next-size',
      shortage: { kind: 'allocation', larger },
    };
  }
  const quota = /^(QuotaExceeded|OperationNotAllowed)$/.test(code) ? quotaOf(message) : undefined;
  if (quota !== undefined)
    return {
      code: 'quota-exceeded',
      reason,
      // The quota of a whole region is spent for every size.
      answer: quota.of === 'regional' ? 'give-up' : 'next-size',
      shortage: quota,
      remedy: quotaRemedy(quota),
    };
  if (/^(QuotaExceeded|OperationNotAllowed)$/.test(code) && /quota/i.test(message))
    return { code: 'quota-exceeded', reason, answer: 'next-size' };
  if (BUSY.test(code)) return { code: 'cloud-busy', reason, answer: 'again' };
  return { code: 'cloud-refused', reason, answer: 'give-up' };
}
