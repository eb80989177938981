import { addressOf, cidrOf, networkOf } from './ipv4.ts';

/**
 * An address in the containers' range is: the range, the machine's number, the environment's number, the container.
 * A machine is then one network to the others, whatever runs there, and who is in an environment is told by a mask
 * with a gap: rules and peers need not change when an environment comes to a machine.
 */
const HOST_BITS = 7;
const ENVIRONMENT_BITS = 6;
const MACHINE_SIZE = 2 ** (HOST_BITS + ENVIRONMENT_BITS);

/** Environments that can have networks at the same time; number 0 is the machine itself. */
export const MOST_ENVIRONMENTS = 2 ** ENVIRONMENT_BITS - 1;
/** Containers of one environment on one machine: without network, gateway and broadcast address. */
export const MOST_CONTAINERS = 2 ** HOST_BITS - 3;
/** What WireGuard leaves of an Ethernet frame of 1500 bytes. */
export const MTU = 1420;

/** Machines that the range has room for; number 0 is nobody's. @param range CIDR of at most 18 fixed bits */
export const mostMachines = (range: string): number =>
  2 ** (32 - networkOf(range).bits - HOST_BITS - ENVIRONMENT_BITS) - 1;

/** The longest prefix of a range that has room for machines. */
export const LONGEST_PREFIX = 18;

const machineFirst = (range: string, machine: number): number =>
  networkOf(range).first + machine * MACHINE_SIZE;

/** All addresses of a machine's containers. */
export const machineSubnet = (range: string, machine: number): string =>
  cidrOf({ first: machineFirst(range, machine), bits: 32 - HOST_BITS - ENVIRONMENT_BITS });

/** The machine's own address in the range, where its containers ask for names. */
export const resolverOf = (range: string, machine: number): string =>
  addressOf(machineFirst(range, machine) + 1);

/** Network and gateway of an environment on a machine. */
export function environmentSubnet(
  range: string,
  machine: number,
  environment: number,
): { readonly subnet: string; readonly gateway: string } {
  const first = machineFirst(range, machine) + environment * 2 ** HOST_BITS;
  return { subnet: cidrOf({ first, bits: 32 - HOST_BITS }), gateway: addressOf(first + 1) };
}

/** What a machine needs to know to tell environments apart by addresses. */
export function layoutOf(range: string): {
  readonly hostBits: number;
  readonly environments: number;
  /** Bits of range and environment. */
  readonly environmentMask: string;
} {
  const { bits } = networkOf(range);
  const rangeMask = 2 ** 32 - 2 ** (32 - bits);
  const environmentMask = MACHINE_SIZE - 2 ** HOST_BITS;
  return {
    hostBits: HOST_BITS,
    environments: MOST_ENVIRONMENTS,
    environmentMask: addressOf(rangeMask + environmentMask),
  };
}

/** The environment's bridge on every machine: interface names have at most 15 characters. */
export const bridgeOf = (environment: number): string => `berth-e${environment}`;
/** The WireGuard interface. */
export const WIREGUARD = 'berth-wg';
