import { networkOf } from './address.ts';
import type { Rate } from './bucket.ts';
import { limiter } from './limiter.ts';
import { TooManyRequests } from './too-many-requests.ts';

/** How much each may ask; undefined: as much as it likes. */
export interface Rates {
  readonly principal: Rate | undefined;
  /** Of an address, without a credential. */
  readonly address: Rate | undefined;
  /** Of an address. */
  readonly failedLogins: Rate | undefined;
}

/** Each throws TooManyRequests where the limit is passed. */
export interface Limits {
  principal(id: string): void;
  /** A request without a credential, or with one that was refused. */
  address(address: string | undefined): void;
  /** Before a credential is checked: too many of this address were wrong. */
  login(address: string | undefined): void;
  /** A credential was wrong. */
  failedLogin(address: string | undefined): void;
}

export function limits(rates: Rates, now: () => Date): Limits {
  const [principals, addresses, logins] = [rates.principal, rates.address, rates.failedLogins].map(
    (rate) => rate && limiter(rate, now),
  );
  const refuse = (who: string, wait = 0): void => {
    if (wait > 0) throw new TooManyRequests(who, wait);
  };
  return {
    principal: (id) => refuse(id, principals?.take(id)),
    address: (address) => refuse(address ?? 'Your address', addresses?.take(networkOf(address))),
    login: (address) => refuse(address ?? 'Your address', logins?.look(networkOf(address))),
    failedLogin: (address) => void logins?.take(networkOf(address)),
  };
}
