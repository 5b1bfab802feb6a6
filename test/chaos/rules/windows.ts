import type { Evidence, FaultNote } from '../evidence.js';

/** A time in ms by the clock of the machine. */
export interface Window {
  from: number;
  until: number;
}

/** How much of `window` these cover together. */
export function covered(window: Window, others: readonly Window[]): number {
  let sum = 0;
  let reached = window.from;
  for (const { from, until } of others.toSorted((a, b) => a.from - b.from)) {
    const begin = Math.max(from, reached);
    const end = Math.min(until, window.until);
    if (end <= begin) continue;
    sum += end - begin;
    reached = end;
  }
  return sum;
}

export const overlaps = (a: Window, b: Window): boolean => a.from < b.until && a.until > b.from;

/** Connections are opened again a moment after the server is back. */
const afterOutageMs = 3_000;

export const outages = ({ faults }: Evidence): Window[] =>
  faults.filter(({ outage }) => outage).map(({ at, until }) => ({ from: at, until: until + afterOutageMs }));

/** Times whose commits may be lost. */
export const losses = ({ faults }: Evidence): Window[] =>
  faults.flatMap(({ lostFrom, until }) => (lostFrom === undefined ? [] : [{ from: lostFrom, until }]));

/** When somebody held rows of this job. What a worker had in its transaction when it was frozen counts as well. */
export function lockedTimes({ faults, executions }: Evidence, jobId: string): Window[] {
  const holds = ({ kind, pid, at, jobs }: FaultNote): boolean =>
    jobs?.includes(jobId) === true ||
    (kind === 'stop-at-commit' &&
      executions.some(
        (one) => one.pid === pid && one.jobId === jobId && one.beganAt <= at && (one.endedAt ?? at) >= at,
      ));
  return faults.filter(holds).map(({ at, until }) => ({ from: at, until: until + afterOutageMs }));
}

/** When something was done to this process alone; it has a lease's time to find its way back. */
export const harmTo = ({ faults, leaseMs }: Evidence, pid: number | null): Window[] =>
  faults
    .filter((fault) => fault.pid !== null && fault.pid === pid)
    .map(({ at, until }) => ({ from: at, until: until + leaseMs }));
