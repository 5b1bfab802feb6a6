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

/** Whether somebody has paused or deleted this job, or may have, at some time of the window. */
export function isStopped({ changes }: Evidence, jobId: string, window: Window): boolean {
  const own = changes.filter((change) => change.jobId === jobId);
  return own.some(
    ({ askedAt, paused, trigger }, index) =>
      (paused || trigger === null) &&
      overlaps({ from: askedAt, until: own[index + 1]?.confirmedAt ?? Infinity }, window),
  );
}

/** When something was done to this process alone; it has a lease's time to find its way back. */
export const harmTo = ({ faults, leaseMs }: Evidence, pid: number | null): Window[] =>
  faults
    .filter((fault) => fault.pid !== null && fault.pid === pid)
    .map(({ at, until }) => ({ from: at, until: until + leaseMs }));

/** When nothing of this process turned. Whoever does not turn learns of nothing, and does nothing. */
export const stalls = ({ loops, proxyStalls }: Evidence, pid: number | null): readonly Window[] => [
  ...(loops.find((loop) => loop.pid === pid)?.stalls ?? []),
  ...proxyStalls,
];

/** Nothing is sent on a connection that only listens but a heartbeat, now and then: the longest pause between two, and the deadline of the workers' statements. */
const heartbeatMs = 32_000;
const swallows = new Set(['swallow', 'deliver-late']);

/** When nobody told this process of anything: it had lost the connection that it listens on, or has one that leads nowhere without knowing. */
export const deafness = ({ deaf, faults }: Evidence, pid: number | null): Window[] => [
  ...deaf.filter((note) => note.pid === pid),
  ...faults
    .filter((fault) => fault.pid === pid && swallows.has(fault.kind))
    .map(({ at }) => ({ from: at, until: at + heartbeatMs })),
];

/** When this run was in the hands of a worker that could not know it, or could not say so, as something was done to it. The ledger tells nothing of a claim whose answer is lost. */
export const strayed = (evidence: Evidence, runId: string): Window[] =>
  evidence.sightings
    .filter((seen) => seen.runId === runId)
    .map(({ pid, firstAt, lastAt }) => ({ pid, from: firstAt, until: lastAt }))
    .filter((seen) => harmTo(evidence, seen.pid).some((harm) => overlaps(harm, seen)));

/** What one process cannot work beside, and for how long. What is lost on the way or comes late is noticed by the deadline of a statement, and new connections are fine. */
const disabling: Readonly<Record<string, (fault: FaultNote) => number>> = {
  freeze: ({ until }) => until,
  'stop-at-commit': ({ until }) => until,
  cut: ({ until }) => until,
  silence: ({ until }) => until,
  trickle: ({ until }) => until,
  pooler: ({ until }) => until,
  swallow: ({ at }) => at + noticedWithinMs,
  'deliver-late': ({ at }) => at + noticedWithinMs,
};
/** Twice the deadline of the workers' statements. */
const noticedWithinMs = 4_000;
const endings = new Set(['kill', 'term', 'poisoned']);

/** How many workers lived and were well, from one change of that to the next. */
function well({ loops, proxyStalls, faults, leaseMs }: Evidence): (Window & { count: number })[] {
  const lives = loops.map(({ pid, from, stalls: idle }) => {
    const own = faults.filter((fault) => fault.pid === pid);
    const until = Math.min(...own.filter(({ kind }) => endings.has(kind)).map(({ at }) => at), Infinity);
    const harms = own.flatMap((fault) => {
      const end = disabling[fault.kind]?.(fault);
      return end === undefined ? [] : [{ from: fault.at, until: end + leaseMs }];
    });
    return { from, until, idle: [...idle, ...harms] };
  });
  const windows = [...proxyStalls, ...lives.flatMap((life) => [life, ...life.idle])];
  const edges = windows.flatMap(({ from, until }) => [from, until]);
  const times = [...new Set(edges)].filter(Number.isFinite).toSorted((a, b) => a - b);
  return times.slice(0, -1).map((from, index) => {
    const until = times[index + 1]!;
    const holds = (window: Window): boolean => window.from <= from && window.until >= until;
    const isCutOff = proxyStalls.some(holds);
    const count = isCutOff ? 0 : lives.filter((life) => holds(life) && !life.idle.some(holds)).length;
    return { from, until, count };
  });
}

/** Nobody could work: nothing turned in any worker that lived then and was well, as a handler blocked it, or as the machine had other things to do. */
export const standstills = (evidence: Evidence): Window[] =>
  well(evidence).filter(({ count }) => count === 0);

/** Jobs that are given up after a third loss; the others never are. */
const isGivenUp = (jobId: string): boolean => jobId.includes('-one-off-') || jobId.startsWith('poison-');

/** Nobody was there but one, and something waited for its last try: that is to be alone, so it begins nothing until all has ended that goes on. With others there it is they who go on. */
export function lonelyDrains(evidence: Evidence): Window[] {
  const losses = new Map<string, number[]>();
  const ends = new Map<string, number>();
  for (const { runId, jobId, outcome, final, finishedAt } of evidence.attempts) {
    if (!isGivenUp(jobId)) continue;
    if (outcome === 'lost') losses.set(runId, [...(losses.get(runId) ?? []), finishedAt]);
    if (final) ends.set(runId, finishedAt);
  }
  const lastTries = [...losses].flatMap(([runId, times]) => {
    const [, from] = times.toSorted((a, b) => a - b);
    return from === undefined ? [] : [{ from, until: ends.get(runId) ?? Infinity }];
  });
  return well(evidence)
    .filter(({ count }) => count === 1)
    .flatMap(({ from, until }) =>
      lastTries
        .filter((lastTry) => overlaps(lastTry, { from, until }))
        .map((lastTry) => ({ from: Math.max(from, lastTry.from), until: Math.min(until, lastTry.until) })),
    );
}
