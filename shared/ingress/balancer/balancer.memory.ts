import type { Balancer } from './balancer.ts';

/** A load balancer that is there at once, and what it leads to. */
export function memoryBalancer(): Balancer & { readonly members: () => readonly string[] | undefined } {
  let members: readonly string[] | undefined;
  return {
    members: () => members,
    async ensure(nics) {
      members = [...nics];
      return { state: 'done', address: '192.0.2.1' };
    },
    async remove() {
      members = undefined;
      return { state: 'done' };
    },
  };
}
