import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { refusalOfAddress } from './addresses.ts';

/** Looks a name up, and gives its addresses only if each of them may be reached. */
export const checkedLookup =
  (allowPrivate: boolean): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const refusal = addresses
        .map(({ address }) => refusalOfAddress(address, allowPrivate))
        .find((found) => found !== undefined);
      if (refusal !== undefined) return callback(new Error(refusal), '');
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return first === undefined
        ? callback(new Error(`${hostname} has no address`), '')
        : callback(null, first.address, first.family);
    });
  };
