import type { Refusal } from './refusals.ts';

/** What was being made when a machine failed. */
export type LaunchStep = 'network' | 'security-group' | 'public-ip' | 'nic' | 'vm' | 'removal';

export interface LaunchFailure {
  /** Our code: stands in the machine's status. */
  readonly code: string;
  /** Which step, with ARM's own code and words. */
  readonly reason: string;
  /** What to do. */
  readonly remedy: string;
}

/** A refusal as its user is told it. Pure. @param name of the resource in ARM */
export function launchFailure(
  step: LaunchStep,
  name: string,
  { code, reason, remedy }: Refusal,
): LaunchFailure {
  const what = {
    network: 'Making the network of the machines',
    'security-group': `Making the security group ${name}`,
    'public-ip': `Making the public address ${name}`,
    nic: `Making the network interface ${name}`,
    vm: `Making the virtual machine ${name}`,
    removal: `Removing what an earlier attempt left (${name})`,
  }[step];
  return { code, reason: `${what} failed: ${reason}`, remedy: remedy ?? remedyOf(code) };
}

export const notRegistered = (machine: string, seconds: number): LaunchFailure => ({
  code: 'machine-not-registered',
  reason: `Azure made the virtual machine, but ${machine} did not report within ${seconds} s`,
  remedy: remedyOf('machine-not-registered'),
});

const REMEDIES: Readonly<Record<string, string>> = {
  'size-unavailable':
    'Azure has none of these at the moment: add sizes or zones to the pool, or try again later.',
  'quota-exceeded':
    'Ask Azure for quota (https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade/~/myQuotas), or add a size of another family to the pool.',
  'cloud-busy': 'Azure was busy for as long as the pool waits (launchWithin): try again later.',
  'cloud-slow': 'Azure took longer than the pool waits (launchWithin): try again, or raise it.',
  'activity-failed':
    'Azure or storage could not be reached for as long as the pool waits (launchWithin): see the log of the app and https://azure.status.microsoft.',
  'no-size-left': 'Add further sizes or zones to the pool, raise its limits, or ask Azure for quota.',
  'machine-not-registered':
    'Read its console below: cloud-init may have failed, or the machine could not reach the app; raise registerWithin if it was only slow.',
  'cloud-init-failed': 'Mend what cloud-init says: most often its packages could not be fetched.',
};

export const remedyOf = (code: string): string =>
  REMEDIES[code] ??
  'Azure will not do this as it is: mend what its words say; what each code means is in https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.';
