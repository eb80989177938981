/** Has Azure take back a spot machine as it would of itself: announced to the machine, then gone after 30 seconds. */
export interface Evictions {
  /**
   * https://learn.microsoft.com/rest/api/compute/virtual-machines/simulate-eviction
   * @throws Terminal `eviction-refused` what ARM says
   */
  simulate(vm: string): Promise<void>;
}
