/** What ARM's words mean for the machine that was asked for. */
export interface Refusal {
  /** Our code: stands in the machine's status. */
  readonly code: string;
  /** ARM's own code and words. */
  readonly reason: string;
  /** `next-size`: another size may be had; `again`: the same may be had in a moment; `give-up`: neither. */
  readonly answer: 'next-size' | 'again' | 'give-up';
}

/**
 * ARM's error codes as answers.
 * https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 * https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
 */
export function refusalOf(code: string, message: string): Refusal {
  const reason = `${code}: ${message}`;
  if (/^(SkuNotAvailable|(Zonal)?AllocationFailed|Overconstrained(Zonal)?AllocationRequest)$/.test(code))
    return { code: 'size-unavailable', reason, answer: 'next-size' };
  if (/^(QuotaExceeded|OperationNotAllowed)$/.test(code) && /quota/i.test(message))
    // The quota of a whole region is spent for every size.
    return /Total Regional/i.test(message)
      ? { code: 'quota-exceeded', reason, answer: 'give-up' }
      : { code: 'quota-exceeded', reason, answer: 'next-size' };
  if (
    /^(AnotherOperationInProgress|RetryableError|TooManyRequests|Conflict|InternalServerError|NicReservedForAnotherVm)$/.test(
      code,
    )
  )
    return { code: 'cloud-busy', reason, answer: 'again' };
  return { code: 'cloud-refused', reason, answer: 'give-up' };
}
