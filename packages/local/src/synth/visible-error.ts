/** An error whose message alone is for the person at the terminal, as SST's own of that name. Any other is a bug of ours. */
export class VisibleError extends Error {
  override name = "VisibleError";
}
