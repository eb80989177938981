/** Whether a machine may have an address in a subnet: Azure keeps its first four addresses and its last. Pure. @param subnet CIDR */
export function holds(subnet: string, address: string): boolean {
  const [base = '', length = ''] = subnet.split('/');
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(numberOf(base) / size) * size;
  const at = numberOf(address);
  return at >= first + 4 && at < first + size - 1;
}

const numberOf = (address: string): number =>
  address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
