import type { Progress } from './cloud.ts';

/**
 * A VM's power: long-running calls, polled as `Cloud.poll` does.
 * https://learn.microsoft.com/azure/virtual-machines/states-billing
 */
export interface Power {
  start(vm: string): Promise<Progress>;
  /** Its cores are given back and no longer billed; its disk and a static public address are. */
  deallocate(vm: string): Promise<Progress>;
  restart(vm: string): Promise<Progress>;
}
