/** How long a statement of the settlement waits for locks of others, in ms. Those that take longer are passed over, so as not to keep the rest waiting. */
export const briefMs = 100;

/**
 * An array parameter, whose use limits what the statement waits for any lock of a row. Only for the transaction that it is in: a session may be another one's next, behind
 * a pooler.
 */
export function withLockTimeout(parameter: string, timeoutMs: number): string {
  return `${parameter} where set_config('lock_timeout', '${timeoutMs}', true) is not null`;
}
