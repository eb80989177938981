import type { HourlyCost } from '../../shared/api/routes/by-hand.ts';

/** Hours of Azure's month. https://learn.microsoft.com/azure/cost-management-billing */
const MONTH = 730;

/** `$0.0416/h`: four digits, since a disk costs tenths of a cent. */
export const hourlyText = (dollars: number): string => `$${dollars.toFixed(4)}/h`;

/** `$0.0416/h, about $30.37 a month` */
export const priceText = (dollars: number): string =>
  `${hourlyText(dollars)}, about $${(dollars * MONTH).toFixed(2)} a month`;

/** What a machine costs, part by part; what the table of prices does not know is named. */
export function costText({ machine, disk, publicAddress, total }: HourlyCost): string {
  const parts = [
    machine === undefined ? 'machine: price unknown' : `machine ${hourlyText(machine)}`,
    disk === undefined ? 'disk: price unknown' : `disk ${hourlyText(disk)}`,
    ...(publicAddress === undefined ? [] : [`public address ${hourlyText(publicAddress)}`]),
  ];
  return `${priceText(total)} (${parts.join(', ')})`;
}

/** What goes on costing while a machine is stopped. */
export function billedText({ disk, publicAddress, total }: HourlyCost): string {
  const parts = [
    disk === undefined ? 'its disk, whose price is not known' : `its disk (${hourlyText(disk)})`,
    ...(publicAddress === undefined ? [] : [`its public address (${hourlyText(publicAddress)})`]),
  ];
  return `${parts.join(' and ')}: ${priceText(total)} in all`;
}
