import { pauseRow, type ScopeRef, type StandingPause } from '../model/pause.js';
import type { JobRef } from '../model/job.js';
import type { EndedPauses, EpochMs, PauseEndPlans } from '../ports/storage.adapter.js';
import { resumeJobs } from './bulk.changes.js';
import { toPause } from './job.rows.js';
import { resumeScope, type PauseRow } from './scopes.js';
import type { Run, StatementScope } from './statement.runner.js';
import { lockJobs } from './stored.job.js';

interface StandingRow extends Omit<PauseRow, 'kind'> {
  kind: StandingPause['kind'];
  namespace: string;
}

interface TakenRow extends JobRef {
  holds: boolean;
  until_at: EpochMs;
}

/** So many jobs in one transaction. */
const jobsPerStep = 100;

/** Jobs by the hundred, each hundred in a transaction, and one by one where that fails; scopes one by one. */
export async function endPauses(
  statements: StatementScope,
  app: string,
  plans: PauseEndPlans,
  limit: number,
): Promise<EndedPauses> {
  const due = await statements.run<Pick<StandingRow, 'kind' | 'namespace' | 'name'>>(
    'duePauseEnds',
    app,
    limit,
  );
  const ended: StandingPause[] = [];
  const refused: NonNullable<EndedPauses['refused']> = [];
  const trying = async (rows: typeof due, end: () => Promise<StandingPause[]>): Promise<boolean> => {
    try {
      ended.push(...(await end()));
      return true;
    } catch (error) {
      if (rows.length === 1) refused.push({ row: pauseRow(rows[0]!), error });
      return false;
    }
  };
  const jobs = due.filter(({ kind }) => kind === 'job');
  for (let start = 0; start < jobs.length; start += jobsPerStep) {
    const step = jobs.slice(start, start + jobsPerStep);
    if ((await trying(step, () => endJobs(statements, step.map(refOf), plans))) || step.length === 1)
      continue;
    for (const one of step) await trying([one], () => endJobs(statements, [refOf(one)], plans));
  }
  for (const scope of due) {
    if (scope.kind === 'job') continue;
    await trying([scope], () =>
      endScope(statements, { kind: scope.kind as ScopeRef['kind'], name: scope.name }, plans),
    );
  }
  return { ended, more: due.length >= limit, refused };
}

function refOf({ namespace, name }: Pick<StandingRow, 'namespace' | 'name'>): JobRef {
  return { namespace, id: name };
}

function endJobs(statements: StatementScope, refs: JobRef[], plans: PauseEndPlans): Promise<StandingPause[]> {
  return statements.change(async ({ run, readClock }) => {
    const jobs = (await lockJobs(run, refs, false)).filter((job) => job !== null);
    // Behind the locks: who has resumed, deleted or paused one anew meanwhile is done.
    const taken = await run<TakenRow>(
      'takePauseEnds',
      refs.map(({ namespace }) => namespace),
      refs.map(({ id }) => id),
    );
    const untilOf = new Map(
      taken.flatMap((row) => (row.holds ? [[keyOf(row), row.until_at]] : [])) as [string, EpochMs][],
    );
    const due = jobs.filter(({ definition, paused }) => paused !== null && untilOf.has(keyOf(definition)));
    const told = due.map(({ definition, paused }): StandingPause => {
      const { at, reason, by } = paused!;
      const until = new Date(untilOf.get(keyOf(definition))!);
      return {
        kind: 'job',
        namespace: definition.namespace,
        name: definition.id,
        reason,
        by,
        at: new Date(at),
        until,
      };
    });
    await resumeJobs(run, await readClock(), due, plans.job);
    return told;
  });
}

function endScope(
  statements: StatementScope,
  scope: ScopeRef,
  plans: PauseEndPlans,
): Promise<StandingPause[]> {
  return statements.change(async (change) => {
    await change.run('lockPause', scope.kind, scope.name);
    const [row] = await change.run<PauseRow>('takeScopeEnd', scope.kind, scope.name);
    if (row === undefined || !(await resumeScope(change, scope, plans.scope))) return [];
    return [toStanding({ ...row, namespace: '' })];
  });
}

export async function stalePauses(
  run: Run,
  standingMs: number,
  limit: number,
  untold: boolean,
): Promise<StandingPause[]> {
  return (await run<StandingRow>('stalePauses', standingMs, limit, untold)).map(toStanding);
}

export async function notePauses(run: Run, pauses: readonly StandingPause[]): Promise<StandingPause[]> {
  const noted = await run<{ kind: string; namespace: string; name: string }>(
    'notePauses',
    pauses.map(({ kind }) => kind),
    pauses.map(({ namespace }) => namespace ?? ''),
    pauses.map(({ name }) => name),
    pauses.map(({ at }) => at.getTime()),
  );
  return pauses.filter((pause) =>
    noted.some(
      ({ kind, namespace, name }) =>
        kind === pause.kind && namespace === (pause.namespace ?? '') && name === pause.name,
    ),
  );
}

function toStanding({ kind, namespace, name, until_at, ...row }: StandingRow): StandingPause {
  const pause = toPause({ ...row, paused_until: until_at });
  return { kind, namespace: kind === 'job' ? namespace : null, name, ...pause };
}

function keyOf({ namespace, id }: JobRef): string {
  return `${namespace}\0${id}`;
}
