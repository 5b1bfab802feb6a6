import type { Execution } from '../executions.js';
import type { Evidence } from '../evidence.js';
import { innocents } from './innocents.rule.js';
import { grouped, instant, type Rule } from './rule.js';
import { losses, overlaps } from './windows.js';

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

export const executionRules: readonly Rule[] = [
  atMostOnce,
  neverEarly,
  oneNameEach,
  verdictOfItsOwn,
  innocents,
];
