import { aheadCheck } from './ahead.check.js';
import { byCommand, byHand, counted, some, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import {
  liveWorkersSql,
  lostWorkersSql,
  openRunsSql,
  orphansSql,
  pausesSql,
  workGroupsSql,
  type LiveWorker,
  type StandingPause,
  type WorkGroup,
} from './work.reading.js';

const mostGroups = 500;
const mostTold = 10;
/** A worker that is late by so little may come back. */
const lostAfterMs = 60_000;

/** Whether what is to run can run, and does. */
export const workChecks: readonly Check[] = [
  {
    name: 'work',
    look: async (ground) => {
      const { session, t, limits } = ground;
      const { time, now } = await timeOf(ground);
      const workers = await session.rows<LiveWorker>(liveWorkersSql(t), [time]);
      const values = [time, now - limits.overdueAfterMs, mostGroups];
      return workFindings(await session.rows<WorkGroup>(workGroupsSql(t), values), workers);
    },
  },
  {
    name: 'workers',
    look: async (ground) => {
      const { time, now } = await timeOf(ground);
      const values = [time, now - lostAfterMs];
      return lostFindings(await ground.session.rows<LostWorker>(lostWorkersSql(ground.t), values));
    },
  },
  aheadCheck(timeOf),
  {
    name: 'orphans',
    look: async (ground) => {
      const { time } = await timeOf(ground);
      return orphanFindings(await ground.session.rows<Orphan>(orphansSql(ground.t), [time, mostTold]));
    },
  },
  {
    name: 'pauses',
    look: async (ground) => {
      const values = await forgotten(ground);
      return pauseFindings(await ground.session.rows<StandingPause>(pausesSql(ground.t), values));
    },
  },
  {
    name: 'open runs',
    look: async (ground) => {
      const values = await forgotten(ground);
      return openFindings(await ground.session.rows<OpenRun>(openRunsSql(ground.t), values));
    },
  },
];

/** What stands in for the server's clock, if anything does, and the time by it. */
async function timeOf({ session, settings }: Ground): Promise<{ time: number | null; now: number }> {
  const time = settings.databaseClock?.now() ?? null;
  if (time !== null) return { time, now: time };
  const { at } = await session.row<{ at: number }>(
    'select (extract(epoch from now()) * 1000)::numeric as at',
  );
  return { time, now: at };
}

async function forgotten(ground: Ground): Promise<unknown[]> {
  const { time, now } = await timeOf(ground);
  return [time, now - ground.limits.forgottenAfterMs, mostTold];
}

/** Each group has one cause at most: that of several which has to be mended first. */
export function workFindings(groups: readonly WorkGroup[], workers: readonly LiveWorker[]): Finding[] {
  const overdue = groups.filter((group) => group.overdue > 0);
  if (workers.length === 0) return overdue.length === 0 ? [] : [noWorker(overdue)];
  const findings: Finding[] = [];
  const late: WorkGroup[] = [];
  for (const group of groups) {
    const able = workers.filter(
      ({ app, handlers }) => (group.app === null || group.app === app) && handlers.includes(group.handler),
    );
    if (able.length === 0) findings.push(missingHandler(group));
    else if (!able.some(({ queues }) => queues.includes(group.queue))) findings.push(unservedQueue(group));
    else if (group.overdue > 0) late.push(group);
  }
  for (const kind of ['job', 'run'] as const) {
    const of = late.filter((group) => group.kind === kind);
    if (of.length > 0) findings.push(overdueFinding(kind, of));
  }
  return findings;
}

function sum(groups: readonly WorkGroup[], key: 'count' | 'overdue'): number {
  return groups.reduce((total, group) => total + group[key], 0);
}

function oldestOf(groups: readonly WorkGroup[]): WorkGroup {
  return groups.toSorted((a, b) => (a.oldest < b.oldest ? -1 : 1))[0]!;
}

function noWorker(overdue: readonly WorkGroup[]): Finding {
  const { oldest, example } = oldestOf(overdue);
  const count = sum(overdue, 'overdue');
  return {
    code: 'doctor.no-worker',
    severity: 'error',
    sentence: `No worker is alive, and ${counted(count, 'job')} ${count === 1 ? 'is' : 'are'} overdue, the oldest ("${example}") since ${oldest}.`,
    evidence: { overdue: count, oldest, example },
    repair: byHand('Start a process whose code has the handlers, with autoStart: true.'),
  };
}

function missingHandler({ app, handler, queue, count, overdue, oldest, example }: WorkGroup): Finding {
  return {
    code: 'doctor.missing-handler',
    severity: 'error',
    sentence: `No live worker${app === null ? '' : ` of the app "${app}"`} has the handler "${handler}": ${counted(count, 'job')} of it cannot run, such as "${example}".`,
    evidence: { app, handler, queue, count, overdue, oldest, example },
    repair: byHand(
      `Start a process whose code has "${handler}"${app === null ? '' : ` and whose app is "${app}"`}, or delete these jobs: scheduler.deleteMany({ handler: '${handler}' }).`,
    ),
  };
}

function unservedQueue({ app, handler, queue, count, overdue, oldest, example }: WorkGroup): Finding {
  return {
    code: 'doctor.unserved-queue',
    severity: 'error',
    sentence: `No live worker that has the handler "${handler}" takes the queue "${queue}": ${counted(count, 'job')} of it cannot run, such as "${example}".`,
    evidence: { app, handler, queue, count, overdue, oldest, example },
    repair: byHand(`Start a process with queues: ['${queue}'], or leave the option out where it takes all.`),
  };
}

function overdueFinding(kind: 'job' | 'run', groups: readonly WorkGroup[]): Finding {
  const { oldest, example } = oldestOf(groups);
  const count = sum(groups, 'overdue');
  return {
    code: kind === 'job' ? 'doctor.overdue-jobs' : 'doctor.overdue-runs',
    severity: 'warning',
    sentence: `${counted(count, kind)} ${count === 1 ? 'is' : 'are'} overdue, the oldest ("${example}") since ${oldest}, although live workers could begin ${count === 1 ? 'it' : 'them'}.`,
    evidence: {
      overdue: count,
      oldest,
      example,
      handlers: groups.slice(0, mostTold).map(({ handler }) => handler),
    },
    repair: byHand(
      "Where all slots are taken, raise concurrency or start more processes. Else look for what is locked: select * from pg_stat_activity where wait_event_type = 'Lock'.",
    ),
  };
}

interface LostWorker {
  id: string;
  name: string;
  host: string;
  pid: number;
  running: number;
  leaseUntil: string;
}

export function lostFindings(workers: readonly LostWorker[]): Finding[] {
  return workers.map(({ id, name, host, pid, running, leaseUntil }) => ({
    code: 'doctor.lost-worker',
    severity: 'error',
    sentence: `The worker "${name}" (${host}, process ${pid}) has given no sign since its lease ended at ${leaseUntil}, with ${counted(running, 'run')} in hands that nobody has taken back.`,
    evidence: { worker: id, name, host, pid, running, leaseUntil },
    repair: byHand(
      'Start it again, or any other process on these tables: it takes back what the dead one holds.',
    ),
  }));
}

interface Orphan {
  job: string;
  app: string | null;
  since: string;
  count: number;
}

export function orphanFindings(orphans: readonly Orphan[]): Finding[] {
  if (orphans.length === 0) return [];
  const { count, since } = orphans[0]!;
  const jobs = orphans.map(({ job }) => job);
  return [
    {
      code: 'doctor.orphaned-jobs',
      severity: 'warning',
      sentence: `${counted(count, 'job')} that code once declared ${count === 1 ? 'is' : 'are'} in no live code any more, and ${count === 1 ? 'does' : 'do'} not fire: ${some(jobs)}, the first since ${since}.`,
      evidence: { count, jobs, since },
      repair: byCommand(jobs.map((job) => `chronis jobs delete ${named(job)} --yes`).join('; ')),
    },
  ];
}

/** `namespace/id` as the command line takes it. */
function named(job: string): string {
  const slash = job.indexOf('/');
  const [namespace, id] = [job.slice(0, slash), job.slice(slash + 1)];
  return namespace === 'default' ? shellWord(id) : `${shellWord(id)} --namespace ${shellWord(namespace)}`;
}

function shellWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function pauseFindings(pauses: readonly StandingPause[]): Finding[] {
  return pauses.map(({ kind, name, namespace, reason, by, since }) => {
    const what = kind === 'all' ? 'Everything' : `The ${kind} "${name}"`;
    const why = [reason === null ? '' : ` (${reason})`, by === null ? '' : ` by ${by}`].join('');
    return {
      code: 'doctor.stale-pause',
      severity: 'warning',
      sentence: `${what} has been paused since ${since}${by === null && reason === null ? '' : why}: it may have been forgotten.`,
      evidence: { kind, name, namespace, reason, by, since },
      repair: byCommand(
        kind === 'job'
          ? `chronis jobs resume ${named(`${namespace}/${name}`)}`
          : `chronis pauses remove ${kind === 'all' ? '--all' : `--${kind} ${shellWord(name)}`}`,
      ),
    };
  });
}

interface OpenRun {
  run: string;
  job: string;
  handler: string;
  since: string;
}

export function openFindings(runs: readonly OpenRun[]): Finding[] {
  return runs.map(({ run, job, handler, since }) => ({
    code: 'doctor.open-run',
    severity: 'warning',
    sentence: `The run ${run} of "${job}" has been open since ${since} without a deadline: nothing ends it but a call from outside.`,
    evidence: { run, job, handler, since },
    repair: byCommand(`chronis runs fail ${run}`),
  }));
}
