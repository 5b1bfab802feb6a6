/**
 * An array parameter, whose use limits what the statement waits for any lock of a row. Only for the transaction that it is in: a session may be another one's next, behind
 * a pooler. `timeout`: in ms, or a parameter that says it, as text.
 */
export function withLockTimeout(parameter: string, timeout: number | string): string {
  const given = typeof timeout === 'number' ? `'${timeout}'` : `${timeout}::text`;
  return `${parameter} where set_config('lock_timeout', ${given}, true) is not null`;
}
