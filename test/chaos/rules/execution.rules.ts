import type { Execution } from '../executions.js';
import { lookEveryMs, type Evidence, type LedgerRow } from '../evidence.js';
import { grouped, instant, type Rule } from './rule.js';
import { losses, outages, overlaps } from './windows.js';

const tell = ({ jobId, runId, nominalAt }: Execution): string =>
  `${jobId} run ${runId} of ${instant(nominalAt)}`;

/** The clock of the machine is read in whole milliseconds, and the server reads it apart. */
const clockGrainMs = 2;
/** A worker notes times by what the server answered last. */
const clockLagMs = 3_000;

/** What was not yet on the standby, or not yet on disk, is not known to have happened. */
const mayBeForgotten = (evidence: Evidence, { beganAt }: Execution): boolean =>
  losses(evidence).some((loss) => overlaps(loss, { from: beganAt - 1_000, until: beganAt + 1_000 }));

const atMostOnce: Rule = {
  name: 'executed twice with recovery: abandon',
  find: (evidence) =>
    [
      ...grouped(
        evidence.executions.filter(({ jobId }) => jobId.startsWith('plain-abandon')),
        ({ jobId, nominalAt }) => `${jobId} ${nominalAt}`,
      ).values(),
    ]
      .filter(([first, ...more]) => more.length > 0 && !mayBeForgotten(evidence, first!))
      .map(
        (times) => `${tell(times[0]!)}: ${times.length} times, by ${times.map(({ pid }) => pid).join(', ')}`,
      ),
};

const neverEarly: Rule = {
  name: 'begun before their time',
  find: ({ executions, sameClock }) =>
    sameClock
      ? executions
          .filter(({ beganAt, nominalAt }) => beganAt < nominalAt - clockGrainMs)
          .map((one) => `${tell(one)}: ${one.nominalAt - one.beganAt} ms early`)
      : [],
};

const oneNameEach: Rule = {
  name: 'run ids of two occurrences',
  find: ({ executions }) =>
    [...grouped(executions, ({ runId }) => runId)].flatMap(([runId, own]) => {
      const named = new Set(own.map(({ jobId, nominalAt }) => `${jobId} of ${instant(nominalAt)}`));
      return named.size > 1 ? [`${runId}: ${[...named].join(', ')}`] : [];
    }),
};

const verdictOfItsOwn: Rule = {
  name: 'verdicts of another execution',
  find({ executions, attempts, sameClock }) {
    const own = grouped(executions, ({ runId, jobId, nominalAt }) => `${runId} ${jobId} ${nominalAt}`);
    return attempts
      .filter(({ outcome }) => outcome === 'succeeded')
      .filter((row) => {
        const executed = own.get(`${row.runId} ${row.jobId} ${row.nominalAt}`) ?? [];
        return !executed.some(
          ({ pid, attempt, beganAt, endedAt, ended }) =>
            (row.pid === null || pid === row.pid) &&
            attempt === row.attempt &&
            // A transaction whose COMMIT had no answer is one that failed for its handler.
            (ended !== 'failed' || row.jobId.startsWith('transaction-')) &&
            (!sameClock ||
              (row.finishedAt >= beganAt - clockLagMs &&
                row.finishedAt <= (endedAt ?? Infinity) + clockLagMs)),
        );
      })
      .map(
        ({ runId, jobId, pid, finishedAt }) => `${jobId} run ${runId}, by ${pid} at ${instant(finishedAt)}`,
      );
  },
};

/**
 * A run that ends its process takes nobody with it for good, and is given up in the end. Nobody can tell an innocent run from one that kills if harm from outside has met its worker each time, the
 * last time while it was alone there.
 */
const innocents: Rule = {
  name: 'given up with a poison run',
  find(evidence) {
    const { attempts, executions } = evidence;
    const lost = attempts.filter(
      ({ jobId, final, outcome }) => final && outcome === 'lost' && jobId.includes('-one-off-'),
    );
    const poison = grouped(
      executions.filter(({ jobId }) => jobId.startsWith('poison-')),
      ({ jobId }) => jobId,
    );
    return [
      ...lost
        .filter((row) => !isMetAlone(evidence, row))
        .map(({ jobId, runId }) => `${jobId} run ${runId} ended as lost`),
      ...[...poison].flatMap(([jobId, own]) =>
        own.length > 3 ? [`${jobId} ended ${own.length} processes`] : [],
      ),
    ];
  },
};

/** One release takes back all that a worker has held. */
const oneReleaseMs = 500;

function isMetAlone(evidence: Evidence, row: LedgerRow): boolean {
  const { runId, pid, finishedAt } = row;
  const { attempts, faults } = evidence;
  const held = heldMeanwhile(evidence, row);
  const harms = [
    ...outages(evidence),
    ...faults.flatMap((fault) =>
      fault.pid !== null && fault.pid === pid && fault.kind !== 'poisoned'
        ? [{ from: fault.at, until: Math.max(fault.until, fault.at + evidence.leaseMs) }]
        : [],
    ),
  ];
  const isMet = harms.some((harm) => overlaps(harm, held));
  const hadCompany = attempts.some(
    (other) =>
      other.pid === pid &&
      other.runId !== runId &&
      other.outcome === 'lost' &&
      Math.abs(other.finishedAt - finishedAt) < oneReleaseMs,
  );
  return isMet && !hadCompany;
}

/** By the clock of the machine, also where the ledger goes by another one: from what was seen of it, or from its execution, where it was too short to be seen. */
function heldMeanwhile(evidence: Evidence, row: LedgerRow): { from: number; until: number } {
  const { runId, fence, attempt, startedAt, finishedAt } = row;
  if (evidence.sameClock) return { from: startedAt ?? finishedAt, until: finishedAt };
  const seen = evidence.sightings.find((one) => one.runId === runId && one.fence === fence);
  const executed = evidence.executions.find((one) => one.runId === runId && one.attempt === attempt);
  const from = seen?.firstAt ?? executed?.beganAt ?? finishedAt;
  const until = seen?.lastAt ?? executed?.endedAt ?? from;
  return { from: from - lookEveryMs, until: until + lookEveryMs };
}

export const executionRules: readonly Rule[] = [
  atMostOnce,
  neverEarly,
  oneNameEach,
  verdictOfItsOwn,
  innocents,
];
