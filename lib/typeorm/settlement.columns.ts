import type { Settlement } from '../ports/storage.adapter.js';
import { storedFingerprint } from '../ports/fingerprint.js';
import { columns } from './rows.js';

/** The values of `settleSql` from $2 on, but for the last ones. All are of one worker. */
export function settlementColumns(settlements: readonly Settlement[]): unknown[] {
  const keys = ['runId', 'fence', 'outcome', 'startedAt', 'finishedAt', 'retryAt', 'error'] as const;
  const fingerprints = settlements.map(storedFingerprint);
  return [
    ...columns(settlements, keys),
    resultsOf(settlements),
    // Most have none.
    fingerprints.some((each) => each !== null) ? fingerprints : null,
    settlements[0]!.worker,
  ];
}

export const resultsOf = (settlements: readonly Settlement[]): (string | null)[] =>
  settlements.map(({ result }) => (result === null ? null : JSON.stringify(result)));
