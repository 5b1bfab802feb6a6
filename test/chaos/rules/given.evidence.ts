import type { Evidence, FaultNote, LedgerRow } from '../evidence.js';
import type { Execution } from '../executions.js';
import { rules } from './rules.js';

export const start = Date.UTC(2026, 0, 1);
export const at = (second: number): number => start + second * 1_000;

/** Two instants of a job, each executed and settled as it should be. */
export function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    leaseMs: 3_000,
    slackMs: 0,
    period: { startAt: at(0), endAt: at(3) },
    sameClock: true,
    executions: [execution(), execution({ runId: '2', nominalAt: at(2), beganAt: at(2), endedAt: at(2.5) })],
    attempts: [row(), row({ runId: '2', nominalAt: at(2), startedAt: at(2), finishedAt: at(2.5) })],
    loops: [],
    proxyStalls: [],
    silences: [],
    deaf: [],
    gaps: [],
    sightings: [],
    changes: [],
    faults: [],
    ...change,
  };
}

export function execution(change: Partial<Execution> = {}): Execution {
  const times = { nominalAt: at(1), beganAt: at(1), endedAt: at(1.5) };
  return { runId: '1', jobId: 'plain-quick', attempt: 1, pid: 7, ended: 'done', ...times, ...change };
}

export function row(change: Partial<LedgerRow> = {}): LedgerRow {
  const times = { nominalAt: at(1), startedAt: at(1), finishedAt: at(1.5) };
  const run = { runId: '1', jobId: 'plain-quick', attempt: 1, fence: 1, worker: 'w7', pid: 7 };
  return { ...run, outcome: 'succeeded', final: true, ...times, ...change };
}

export const fault = (change: Partial<FaultNote>): FaultNote => ({
  kind: 'restart',
  pid: null,
  at: at(1),
  until: at(9),
  ...change,
});

/** The names of the rules that are broken. */
export const found = (given: Partial<Evidence>): string[] => {
  const whole = evidence(given);
  return rules.filter(({ find }) => find(whole).length > 0).map(({ name }) => name);
};
