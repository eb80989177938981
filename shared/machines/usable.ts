/** What the system and the engine keep for themselves: a tenth, at least 256 MiB. */
const KEPT_SHARE = 0.1;
const KEPT_LEAST = 256;

/** What containers may use of a size: cores, and MiB of memory. */
export const usable = (size: { readonly cores: number; readonly memory: number }) => ({
  cpu: size.cores,
  memory: Math.floor(size.memory - Math.max(KEPT_LEAST, size.memory * KEPT_SHARE)),
});
