/** What a bigint holds. */
const largestId = 2n ** 63n - 1n;

/** Ids are numbers here: no other text names a run. */
export function isRunId(text: string): boolean {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= largestId;
}
