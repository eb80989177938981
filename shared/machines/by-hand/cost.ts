/**
 * US dollars per hour of what a machine has besides its cores, by Azure's public price list; regions differ a little.
 * OS disk: StandardSSD_LRS of up to 32 GiB (E4), 2.40 a month of 730 hours. Address: Standard, static, IPv4.
 * https://azure.microsoft.com/pricing/details/managed-disks, https://azure.microsoft.com/pricing/details/ip-addresses
 */
const DISK = 2.4 / 730;
const ADDRESS = 0.005;

/** US dollars per hour. */
export interface Cost {
  readonly machine?: number;
  readonly disk: number;
  readonly publicAddress?: number;
  /** Of those that are known. */
  readonly total: number;
}

/** @param running whether cores are billed: not of a machine that is deallocated */
export function hourlyCost(
  of: { readonly hourly: number | undefined; readonly publicAddress: boolean },
  running = true,
): Cost {
  const machine = running ? of.hourly : undefined;
  const parts = {
    ...(machine !== undefined && { machine }),
    disk: round(DISK),
    ...(of.publicAddress && { publicAddress: ADDRESS }),
  };
  return { ...parts, total: round(Object.values(parts).reduce((sum, part) => sum + part, 0)) };
}

const round = (dollars: number): number => Math.round(dollars * 100_000) / 100_000;
