import type { Evidence } from '../evidence.js';
import type { Execution } from '../executions.js';
import { edgeMs, reigns, type Reign } from './reigns.js';
import { instant, type Rule } from './rule.js';
import { covered, deafness, harmTo, overlaps, stalls, type Window } from './windows.js';

/** So long before its instant a worker is handed a run at most (`lookAheadMs`). */
const longestAheadMs = 1_000;

/** Who is told of a pause gives back what it has not begun. */
export const barrier: Rule = {
  name: 'begun after a confirmed pause or delete',
  find: (evidence) =>
    reigns(evidence)
      .filter(({ change }) => change.paused || change.trigger === null)
      .flatMap((reign) =>
        evidence.executions
          .filter(
            ({ jobId, beganAt }) =>
              jobId === reign.change.jobId && beganAt > reign.from + edgeMs && beganAt < reign.until,
          )
          .filter((execution) => !isExcused(evidence, reign, execution))
          .map((execution) => historyOf(evidence, reign, execution)),
      ),
};

function isExcused(evidence: Evidence, { change, from }: Reign, { pid, beganAt }: Execution): boolean {
  // So long after it of what its process could have noticed.
  const noticedMs = beganAt - from - covered({ from, until: beganAt }, stalls(evidence, pid));
  if (noticedMs <= edgeMs) return true;
  // Whoever is frozen or cut off in the middle of beginning learns of nothing.
  const around = { from: from - 1_000, until: from + 1_000 };
  if (harmTo(evidence, pid).some((harm) => overlaps(harm, around))) return true;
  // Whoever does not hear of it begins what it had before, but is handed out nothing more.
  const told = { from: change.askedLastAt, until: from + edgeMs };
  return noticedMs <= longestAheadMs && deafness(evidence, pid).some((deaf) => overlaps(deaf, told));
}

/** How long before the change is looked at in what is told of it. */
const backMs = 5_000;
/** And how long before that a fault may be over. */
const afterwardsMs = 30_000;

/** What was asked for and when, each time that the run was in somebody's hands, and what was done to its worker or kept it from noticing. */
function historyOf(evidence: Evidence, { change, from }: Reign, execution: Execution): string {
  const { runId, jobId, pid, attempt, nominalAt, beganAt } = execution;
  const meanwhile = { from: change.askedAt - backMs, until: beganAt };
  const times = (what: string, windows: readonly Window[]): string[] =>
    windows
      .filter((window) => overlaps(window, meanwhile))
      .map((window) => `${what} ${time(window.from)} to ${time(window.until)}`);
  const held = evidence.sightings
    .filter((seen) => seen.runId === runId)
    .map(
      (seen) => `seen with fence ${seen.fence} in ${seen.pid} ${time(seen.firstAt)} to ${time(seen.lastAt)}`,
    );
  const rows = evidence.attempts
    .filter((row) => row.runId === runId)
    .map(
      ({ fence, outcome, worker, pid: by, startedAt, finishedAt }) =>
        `fence ${fence} in ${by} as ${worker} ${time(startedAt)} to ${time(finishedAt)}: ${outcome}`,
    );
  const faults = evidence.faults
    .filter((fault) => fault.pid === null || fault.pid === pid)
    .filter(({ at, until }) => overlaps({ from: at, until: until + afterwardsMs }, meanwhile))
    .map(({ kind, pid: victim, what, at, until }) => {
      const name = `${kind}${victim === null ? '' : ` of ${victim}`}${what ?? ''}`;
      return `${name} ${time(at)} to ${time(until)}`;
    });
  return [
    `${jobId} run ${runId}, ${beganAt - from} ms after`,
    `${change.call} asked ${time(change.askedAt)}, last ${time(change.askedLastAt)}, confirmed ${time(from)}`,
    `attempt ${attempt} of ${time(nominalAt)} begun ${time(beganAt)} by ${pid}`,
    ...held,
    ...rows,
    ...faults,
    ...times('deaf', deafness(evidence, pid)),
    ...times(
      'no answer',
      evidence.silences.filter((silence) => silence.pid === pid),
    ),
    ...times('no turn', stalls(evidence, pid)),
  ].join('\n    ');
}

const time = (at: number | null): string => (at === null || !Number.isFinite(at) ? 'no time' : instant(at));
