import type { ChronisEventMap, ChronisEventName, RunEvent } from './event.map.js';
import { unservedHandlerWords, unservedWords } from './unserved.words.js';
import { count, cutList, ended, kept, list, named, refs, some, span } from './log.words.js';
import { capital, pausedPart, stalePauseWords, whosePause } from './pause.words.js';
import { overdueWords } from './overdue.words.js';
import { aheadWords } from './ahead.words.js';
import { messageOf, stackOf } from './shown.error.js';
import { rowOf } from './storage.operations.js';

export type LogLevel = 'debug' | 'log' | 'warn' | 'error';

/** A line of the log. */
export interface LogLine {
  level: LogLevel;
  text: string;
  stack?: string | undefined;
}

/** null: not worth a line. */
type Sentences = { readonly [N in ChronisEventName]: ((event: ChronisEventMap[N]) => LogLine) | null };

/**
 * Everything that Chronis writes to the log, one sentence per event. What happens all the time is for `debug`, and as Nest shows that by
 * default, it is one line per run; what somebody should know is told with its remedy.
 */
export const logSentences: Sentences = {
  'jobs.explored': ({ jobs, handlers, repeated }) => ({
    level: repeated.length > 0 ? 'warn' : 'log',
    text: [
      `Found ${count(jobs, 'declared job')} and ${count(handlers.length, 'handler')}.`,
      ...repeated.map(
        ({ className, used, ignored }) =>
          `${className} is provided by ${used} and by ${ignored}: its jobs run once, on the instance of ${used}.`,
      ),
    ].join(' '),
  }),
  'package.copies': ({ places }) => ({
    level: 'warn',
    text: `This process has ${places.length} copies of nestjs-chronis: ${list(places)}. Their classes are not the same, so what a module injects from one (SchedulerService …) is not found where the other provides it. Have one: the same version in all packages, and npm dedupe.`,
  }),
  'enhancers.unapplied': ({ methods }) => ({
    level: 'warn',
    text: `Runs pass by ${cutList(methods.map(({ place, decorators }) => `${decorators.join(' and ')} of ${place}`))}: say useEnhancers: true to apply them, or false if that is meant.`,
  }),
  'payloads.unmarked': ({ methods }) => ({
    level: 'warn',
    text: `No parameter has @Payload(), so these get the RunContext, as it is: ${cutList(methods.map(({ place, type, pipes }) => `${place} (${[...(type === null ? [] : [type]), ...(pipes ? ['@UsePipes'] : [])].join(', ')})`))}. Mark the parameter that is to be the payload: @Payload() before its name. Types and pipes apply to that one.`,
  }),
  'schedules.foreign': ({ methods, lazy }) => ({
    level: 'warn',
    text: `Nothing runs ${cutList(methods)}: ${methods.length === 1 ? 'its decorator comes' : 'their decorators come'} from nestjs-chronis/schedule or @nestjs/schedule, ${lazy ? 'which are read when the application boots, and the module was loaded lazily. Import the decorators from nestjs-chronis, or the module at the start.' : 'and no ScheduleModule.forRoot() is imported. Import the decorators from nestjs-chronis, or ScheduleModule.forRoot() of nestjs-chronis/schedule.'}`,
  }),
  'classes.unprovided': ({ methods }) => ({
    level: 'warn',
    text: `Nothing runs ${cutList(methods)} in this process: no module provides ${methods.length === 1 ? 'its class' : 'their classes'}. Add ${methods.length === 1 ? 'it' : 'them'} to the providers of a module; if that is meant, log: { silent: 'classes.unprovided' }.`,
  }),
  'names.minified': ({ methods }) => ({
    level: 'warn',
    text: `Stored under names that look minified: ${cutList(methods)}. Another build may give them to other classes, which then run these jobs. Give jobs an id and methods a name by @JobHandler, or let the build keep the names of classes (keepNames, keep_classnames).`,
  }),
  'methods.doubled': ({ app, previousApp, jobs }) => ({
    level: 'warn',
    text: `As long as processes of "${previousApp}" live, both they and "${app}" run ${cutList(jobs.map(({ handler, id }) => `${handler} (there "${id}")`))}: the ids differ. If they are the same jobs, name the old ids in previousIds; they are taken over then, with their history.`,
  }),
  'renames.ignored': ({ renames }) => ({
    level: 'warn',
    text: `Not renamed: ${list(renames.map(({ place, id, previousId, declaredBy }) => `"${previousId}" to "${id}" (${place}), as ${declaredBy} declares "${previousId}"`))}. Each id keeps its counters and history, whatever method has it. Take it out of previousIds; or, to exchange ids, do it in two releases: first give all but one of these jobs ids that are new, then those that have become free.`,
  }),
  'renames.unsaid': ({ renames }) => ({
    level: 'warn',
    text: `Renamed, it seems: ${cutList(renames.map(({ id, previousId }) => `"${previousId}" to "${id}"`))}. Both are named after their method, so they are two jobs: the old one runs beside the new one while a process declares it, and the new one begins without its counters and history. To go on with the old job, give the method its id (id: '${renames[0]!.previousId}'); the next time, name the old id in previousIds in the release that renames. If they are two jobs, log: { silent: 'renames.unsaid' }.`,
  }),
  'modules.boot-later': ({ modules, scheduler }) => ({
    level: 'warn',
    text: `Jobs may run before ${list(modules)} ${modules.length === 1 ? 'is' : 'are'} ready, and after ${modules.length === 1 ? 'it has' : 'they have'} closed. Import ${scheduler} last in the root module; hooks of the root module itself belong into a module of their own.`,
  }),
  'scheduler.idle': ({ name, app }) => ({
    level: 'log',
    text: `As ${name}, this process runs no jobs of "${app}", as autoStart is false: it makes and reads them, and other processes run them. SchedulerService.start() begins to run them here, too.`,
  }),
  'shutdown.unhooked': ({ signal, leaseMs }) => ({
    level: 'warn',
    text: `Nothing listens to ${signal}, so it ends this process in the middle of its runs${leaseMs === null ? '' : `, which nobody executes again until its lease has ended, ${seconds(leaseMs)} s later`}. Call app.enableShutdownHooks().`,
  }),
  'scheduler.started': ({ name, app, storage, timeZone, queues, concurrency, ...next }) => ({
    level: 'log',
    text: `Running jobs of "${app}" as ${name} on ${storage}: ${queues.length === 1 ? 'queue' : 'queues'} ${list(queues)}, ${concurrency} at a time, default zone ${timeZone}. ${upNext(next)}`,
  }),
  'callbacks.unknown': ({ handler, callbacks, meant }) => ({
    level: 'warn',
    text: `No live process has the handler "${handler}", which ${callbacks.length === 1 ? 'is' : 'are'} ${cutList(callbacks.map(({ option, place, ...job }) => `${option} of ${named(job)} (${place})`))}: such runs wait until one has it.${meant === null ? '' : ` Did you mean "${meant}"?`}`,
  }),
  'pauses.standing': standing,
  'schedules.ahead': ({ jobs }) => ({ level: 'warn', text: aheadWords(jobs) }),
  'workflows.unserved': unserved,
  'handlers.unserved': ({ app, handlers }) => ({
    level: 'warn',
    text: `No live process of "${app}" can run all jobs that are stored: ${cutList(handlers.map(unservedHandlerWords), '; ')}. Start one that has them (a handler that was renamed keeps its old name by previousNames), or delete these jobs.`,
  }),
  'jobs.synced': synced,
  'jobs.stored': ({ declared, created, taken }) => ({
    level: taken.length > 0 ? 'warn' : created.length > 0 ? 'log' : 'debug',
    text: `Of ${count(declared, 'declared job')} ${created.length === 0 ? 'none was missing' : `${created.length} ${created.length === 1 ? 'was' : 'were'} stored for workers to come (${refs(created)})`}.${taken.length > 0 ? ` ${idsTaken}: ${refs(taken)}.` : ''}`,
  }),
  'files.broken': ({ directory, file, line, column, reason, keeps }) => ({
    level: 'warn',
    text: `The job file ${directory}/${[file, line, column].filter((part) => part !== null).join(':')} is not followed: ${reason} ${keeps.length === 0 ? 'Nothing of it is in force.' : `What it said before stays in force: ${refs(keeps)}.`}`,
  }),
  'files.mended': ({ directory, file }) => ({
    level: 'log',
    text: `The job file ${directory}/${file} is followed again.`,
  }),
  'files.unreadable': (event) => ({ level: 'warn', text: unreadable(event) }),
  'files.readable': ({ directory }) => ({
    level: 'log',
    text: `The folder of job files ${directory} is followed again.`,
  }),
  'job.orphaned': (job) => ({
    level: 'warn',
    text: `No live process declares the job ${named(job)} any more: it does not run, and is kept as orphaned.`,
  }),
  'job.paused': ({ reason, ...job }) => ({
    level: 'error',
    text: `The job ${named(job)} is paused until somebody resumes it: ${reason}`,
  }),
  'job.overdue': (job) => ({ level: 'warn', text: overdueWords(job) }),
  'job.overdue.ended': ({ dueAt, ...job }) => ({
    level: 'log',
    text: `The job ${named(job)} is not overdue any more by what was due at ${dueAt.toISOString()}.`,
  }),
  'pause.ended': ({ at, until, ...pause }) => ({
    level: 'log',
    text: `${capital(pausedPart(pause))} goes on: ${whosePause({ at, ...pause })} has ended at ${until!.toISOString()}, as was asked for.`,
  }),
  'pause.stale': (pause) => ({ level: 'warn', text: stalePauseWords(pause) }),
  'worker.started': ({ workerId, handlers, zoneData }) => ({
    level: 'debug',
    text: `Registered as worker ${workerId} with ${count(handlers.length, 'handler')}, time zone data ${zoneData}.`,
  }),
  'worker.draining': ({ runs, timeoutMs }) => ({
    level: 'log',
    text: `Stopping: waiting for ${count(runs.length, 'run')}, ${seconds(timeoutMs)} s at most, then ${runs.length === 1 ? 'its signal fires' : 'their signals fire'}: ${cutList(runs.map((run) => describe(run).replace(/,$/, '')))}.`,
  }),
  'worker.stopped': ({ finished, handedBack }) => ({
    level: 'log',
    text: `Stopped: ${count(finished, 'run')} finished${handedBack > 0 ? `, ${handedBack} handed back to others` : ''}.`,
  }),
  'worker.lease-lost': ({ runs, isStopping }) => ({
    level: 'error',
    text: `This process did not renew its lease in time, so others may take over its runs: ${count(runs, 'handler')} told to stop. ${isStopping ? 'It is stopping anyway.' : 'It goes on as a new worker.'} Was it blocked, or the database away?`,
  }),
  'workers.killed': ({ workers }) => ({
    level: 'warn',
    text: `Ended on this machine without a stop (killed, crashed, or by process.exit): ${workers.length === 1 ? 'process' : 'processes'} ${list(workers.map(({ pid }) => String(pid)))}. What ${workers.length === 1 ? 'it was' : 'they were'} running is executed again when ${workers.length === 1 ? 'its lease has' : 'their leases have'} ended, in ${Math.ceil(Math.max(...workers.map(({ leaseMs }) => leaseMs)) / 1_000)} s; until then the jobs of these runs may wait. Where a signal ends it, as with nest start --watch, app.enableShutdownHooks() lets it stop first; code that ends it calls app.close() before.`,
  }),
  'workers.released': ({ workers, rerun, ended, gaveUp }) => ({
    level: gaveUp.length > 0 ? 'error' : 'warn',
    text: `${count(workers.length, 'worker')} died: ${count(rerun, 'run')} will be executed again${ended > 0 ? `, ${ended} ended without another attempt` : ''}.${lostRuns(gaveUp)}`,
  }),
  'schedules.recomputed': ({ from, to, moved }) => ({
    level: 'log',
    text: `Time zone data ${to} are newer than ${from}: ${count(moved.length, 'next time')} changed${moved.length > 0 ? ` (${moved.slice(0, 5).map(named).join(', ')}${moved.length > 5 ? ', …' : ''})` : ''}.`,
  }),
  'zone-data.differs': ({ own, others }) => ({
    level: 'warn',
    text: `Other live workers compute with time zone data ${others.join(', ')}, this one with ${own}: local times may differ until all run the same Node.`,
  }),
  'keep-ledger.differs': ({ app, own, others }) => ({
    level: 'warn',
    text: `The ledger and the history are kept for as long as the one that wants them longest: "${app}" for ${kept(own)}, ${others
      .map((other) => `"${other.app}" for ${kept(other.retention)}`)
      .join(
        ', ',
      )}. Give all apps of this schema the same keepLedger and keepHistory, or schemas of their own.`,
  }),
  'clock.offset': ({ offsetMs }) => ({
    level: 'warn',
    text: `The clock of this machine is ${span(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} the storage's, which decides what is due.`,
  }),
  'clock.leapt': ({ byMs, state }) => ({
    level: state === 'doubted' ? 'error' : 'warn',
    text: `The storage's clock has leapt ${span(Math.abs(byMs))} ${byMs > 0 ? 'ahead' : 'back'}${leapEnds[state]}`,
  }),
  'run.started': null,
  'run.isolated': (run) => ({
    level: 'warn',
    text: `${describe(run)} is executed alone, as its workers have died (${run.lostCount}): nothing else begins in this process until it has ended, or for ${seconds(run.atMostMs)} s at most. Other processes go on meanwhile; where there is none, start a second one.`,
  }),
  'run.succeeded': (run) => ({
    level: 'debug',
    text: `${describe(run)} succeeded after ${run.durationMs} ms.`,
  }),
  'run.retrying': (run) => ({
    level: 'warn',
    text: `${describe(run)} failed after ${run.durationMs} ms and is tried again at ${run.retryAt.toISOString()}: ${messageOf(run.error)}`,
  }),
  'run.failed': (run) => ({
    level: 'error',
    text: `${describe(run)} failed after ${run.durationMs} ms: ${messageOf(run.error)}`,
    stack: stackOf(run.error),
  }),
  'run.timed_out': (run) => ({
    level: 'error',
    text: `${describe(run)} timed out after ${run.durationMs} ms.`,
  }),
  'run.cancelled': (run) => ({
    level: run.hasBegun ? 'log' : 'debug',
    text: `${describe(run)} was cancelled ${run.hasBegun ? `after ${run.durationMs} ms` : 'before it began'}.`,
  }),
  'run.snoozed': (run) => ({
    level: 'debug',
    text: `${describe(run)} ${run.until === null ? 'waits for a signal' : `asked to be called again at ${run.until.toISOString()}`}.`,
  }),
  'run.opened': (run) => ({
    level: 'debug',
    text: `${describe(run)} is open${run.deadline === null ? '' : ` until ${run.deadline.toISOString()}`}: its verdict comes from outside.`,
  }),
  'retry-rule.failed': ({ rule, error, ...run }) => ({
    level: 'error',
    text: `${describe(run).replace(/,$/, '')}: ${rule} of the handler cannot be used, so the retries of the job count: ${messageOf(error)}`,
    stack: stackOf(error),
  }),
  'run.lost': (run) => ({
    level: 'error',
    text: `${describe(run)} did not end before the shutdown and must not run twice: it is lost.`,
  }),
  'run.handed-back': (run) => ({
    level: 'log',
    text: `${describe(run)} did not end before the shutdown: it is handed back, and another process executes it.`,
  }),
  'run.progress': null,
  'run-progress.dropped': ({ runIds, error }) => ({
    level: 'warn',
    text: `The storage does not take how far ${namesOf(runIds)} ${runIds.length === 1 ? 'is' : 'are'}: nobody is shown what was told last. ${messageOf(error)}`,
    stack: stackOf(error),
  }),
  'run-log.dropped': ({ runIds, lines, error }) => ({
    level: 'warn',
    text: `The storage does not take what runs have logged (${lines} lines of ${namesOf(runIds)}): it is not in their logs. ${messageOf(error)}`,
    stack: stackOf(error),
  }),
  'run.stale': (run) => ({
    level: 'warn',
    text: `${describe(run)} ended too late: it was given up, or belongs to another worker by now, and its result was refused.`,
  }),
  'run.unstorable': (run) => ({
    level: 'error',
    text: `${describe(run)} has ended, but the storage cannot store what its handler returned or threw; a note is in its place: ${messageOf(run.error)}`,
  }),
  'run.result-dropped': (run) => ({
    level: 'warn',
    text: `${describe(run)} has succeeded, but its result is not on record: return less, or nothing. ${run.reason}`,
  }),
  'run.unsettled': (run) => ({
    level: 'error',
    text: `${describe(run)} ${unsettled(run)}`,
  }),
  'run.threw-after-commit': (run) => ({
    level: 'error',
    text: `${describe(run)} has succeeded, as its transaction is committed, but its handler threw afterwards: ${messageOf(run.error)}`,
    stack: stackOf(run.error),
  }),
  'runs.deferred': ({ app, handler, queue, runs }) => ({
    level: 'warn',
    text: `No live worker${app === null ? '' : ` of "${app}"`} has the handler "${handler}" and the queue "${queue}": ${count(runs, 'due run')} ${runs === 1 ? 'is' : 'are'} put off by 30 s. Start an instance that has both, or check the names.`,
  }),
  'jobs.unserved': ({ app, queue, jobs, queues }) => ({
    level: 'warn',
    text: `No live process${app === null ? '' : ` of "${app}"`} runs the queue "${queue}", so nothing fires ${cutList(jobs.map(({ handler, ...job }) => (handler === job.id ? named(job) : `${named(job)} (${handler})`)))}. Let one run it: ChronisModule.forRoot({ queues: [${[...queues, queue].map((each) => `'${each}'`).join(', ')}] }).`,
  }),
  'runs.lifted': ({ runs }) => ({
    level: 'debug',
    text: `${count(runs, 'overdue run')} lifted in priority, so as not to starve.`,
  }),
  'record.pruned': ({ attempts, days, gaps, jobs, deadLetters }) => ({
    level: 'debug',
    text: `Old records deleted: ${[
      ...some(attempts, 'attempt'),
      ...some(days, 'whole day').map((whole) => `${whole} of attempts`),
      ...some(gaps, 'gap'),
      ...some(jobs, 'finished job'),
      ...some(deadLetters, 'dead letter'),
    ].join(', ')}.`,
  }),
  'record.withheld': ({ aheadMs }) => ({
    level: 'warn',
    text: `Old records are kept for about ${Math.ceil(aheadMs / 3_600_000)} min more than they should: since they were last looked through, the storage's clock has gone ${Math.round(aheadMs / 3_600_000)} h further than time has passed. After a long downtime that is as it should be; else look at that clock.`,
  }),
  'gap.recorded': ({ verdict, count: instants, from, until, reason, ...job }) => ({
    level: verdict === 'missed' ? 'warn' : 'debug',
    text: `The job ${named(job)} did not run ${instants > 1 ? `from ${from.toISOString()} to ${until.toISOString()}, ${instants} times` : `at ${from.toISOString()}`} (${verdict}: ${reason}).`,
  }),
  'job.held-up': ({ runId, workerId, runningMs, ...job }) => ({
    level: 'warn',
    text: `The job ${named(job)} is skipped, as its run ${runId} has ${workerId === null ? 'been open' : 'gone on'} for ${Math.floor(runningMs / 3_600_000)} h by now${workerId === null ? `: complete(), fail() or cancelRun('${runId}') ends it, and a deadline lets none be open for ever.` : ` (worker ${workerId}). If it hangs, cancelRun('${runId}') ends it; a timeout lets no run go on for ever.`}`,
  }),
  'schedule.failed': ({ error, ...job }) => ({
    level: 'error',
    text: `The job ${named(job)} is paused, as its next time cannot be computed: ${messageOf(error)}`,
    stack: stackOf(error),
  }),
  'storage.answered': null,
  'storage.doubtful': ({ reason }) => ({
    level: 'warn',
    text: `Some of what was stored may be missing: ${reason}`,
  }),
  'storage.failing': ({ operation, error, retryInMs }) => ({
    level: 'warn',
    text: `${failed(operation)}: ${ended(messageOf(error))} ${nextTry(operation, retryInMs)}`,
  }),
  'storage.recovered': ({ operation, failures }) => ({
    level: 'log',
    text: `The storage answers again (${operation}) after ${count(failures, 'failure')}.`,
  }),
  'storage.went-back': () => ({
    level: 'error',
    text: 'The storage has gone back in time: it has lost commits that it had confirmed, as after a failover to a server that was behind, or a restore. What ran since then may run again, and what was created since then is gone: see docs/guides/failover.md.',
  }),
  'rows.locked': ({ work, tables, rows, lockedMs, first }) => ({
    level: 'warn',
    text: `Somebody else has kept rows of ${anyOf(tables)} locked for ${seconds(lockedMs)} s, so ${waitFor[work]} (${rows}; the first: ${first}). All else goes on; these are done when that transaction ends.`,
  }),
  'rows.unlocked': ({ work, lockedMs }) => ({
    level: 'log',
    text: `What was locked is free again, after ${seconds(lockedMs)} s: no ${work} wait any more.`,
  }),
  'wake.unavailable': ({ error }) => ({
    level: 'warn',
    text: `There is no signal of changes by other processes, so polls find them: ${messageOf(error)}`,
  }),
  'wake.recovered': () => ({
    level: 'log',
    text: 'The signal of changes by other processes is there again.',
  }),
  'beat.unavailable': ({ error }) => ({
    level: 'warn',
    text: `No thread can renew the lease, so a handler that blocks the event loop for longer is executed again elsewhere: ${messageOf(error)}`,
  }),
  'sharing.failing': ({ error }) => ({
    level: 'warn',
    text: `Other instances are not told of events at present: ${messageOf(error)}`,
  }),
  'engine.failed': ({ part, error }) => ({
    level: 'error',
    text: `Something unexpected failed in the engine (${part}), which goes on: ${messageOf(error)}`,
    stack: stackOf(error),
  }),
  'listener.failed': ({ eventName, error }) => ({
    level: 'error',
    text: `A listener of the event "${eventName}" threw: ${messageOf(error)}`,
    stack: stackOf(error),
  }),
};

function anyOf(tables: readonly string[]): string {
  const names = tables.map((table) => `"${table}"`);
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' or ');
}

const waitFor = {
  results: 'the results of runs cannot be written',
  returns: 'runs that do not begin here cannot be given back',
  schedules: 'jobs that are due cannot be fired',
};

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}

/** What becomes of a run whose end is not on record, as far as that is known. */
function unsettled({ outcome, isUnclear, executedAgain }: ChronisEventMap['run.unsettled']): string {
  const unknown = isUnclear ? 'the storage has not confirmed' : 'the storage could not be told';
  if (outcome === 'handed_back') {
    return `did not end before the shutdown, and ${unknown} that it is handed back: another process executes it when the lease of this one is over.`;
  }
  const again = executedAgain ? 'another process executes it again' : 'it is not executed again';
  return `has ended (${outcome}), but ${unknown} so before the shutdown was over: ${isUnclear ? 'unless that is on record' : 'so'} it counts as lost, and ${again}.`;
}

const leapEnds = {
  doubted:
    ", and this machine's has not: schedules go on by the time before, for ten minutes at most. Is one of them wrong?",
  followed: ': schedules follow it.',
  reverted: ', and has come back. Schedules did not follow it.',
};

/** Longer pauses than this are those of rounds that come anyway. */
const longestPauseMs = 5_000;

/** What is named by its row fails alone, as a rule. */
function failed(operation: string): string {
  const one = rowOf(operation);
  return one === null ? `The storage failed (${operation})` : failures[one.kind](one.row);
}

const failures: Record<NonNullable<ReturnType<typeof rowOf>>['kind'], (row: string) => string> = {
  fire: (job) => `The job ${job} could not be fired`,
  settle: (runId) => `The verdict of run ${runId} could not be stored`,
  release: (runId) => `Run ${runId} could not be taken back from a worker that has died`,
  claim: (runId) => `Run ${runId} could not be claimed`,
  giveBack: (runId) => `Run ${runId} could not be given back`,
  forget: (row) => `An old row could not be deleted (${row})`,
  endPause: (what) => `A pause has come to its end and could not be ended (${what})`,
};

function nextTry(operation: string, retryInMs: number): string {
  if (retryInMs === 0) return 'Going on without.';
  if (operation === 'connect') return 'Trying for as long as connectTimeoutMs allows.';
  return retryInMs > longestPauseMs
    ? `Trying again in ${Math.round(retryInMs / 1_000)} s.`
    : 'Trying until it answers.';
}

const idsTaken = 'Not stored, as the ids belong to jobs of other apps or were taken at run time';

/** That a folder is suddenly empty is a sentence which says when that is believed; else it is what the system says. */
function unreadable({ directory, reason, jobs }: ChronisEventMap['files.unreadable']): string {
  const stays =
    jobs === 0
      ? 'What is stored of it stays'
      : `Its ${count(jobs, 'job')} ${jobs === 1 ? 'stays' : 'stay'} in force`;
  if (reason.endsWith('.')) return `${reason} ${stays} until then.`;
  return `The folder of job files ${directory} cannot be read: ${reason}. ${stays} until it can.`;
}

const syncedWords = {
  created: 'created',
  changed: 'changed',
  superseded: 'not in force any more',
  deleted: 'deleted',
} as const;

function namesOf(runIds: readonly string[]): string {
  return runIds.length === 1 ? `the run ${runIds[0]}` : `${runIds.length} runs`;
}

function synced({ declared, ...event }: ChronisEventMap['jobs.synced']): LogLine {
  const parts = (['created', 'changed', 'superseded', 'deleted'] as const)
    .filter((kind) => event[kind].length > 0)
    .map((kind) => `${event[kind].length} ${syncedWords[kind]} (${refs(event[kind])})`);
  const notes = [
    [event.outranked, 'Not as this code declares, while a worker whose code appeared later is there'],
    [event.postponed, "Locked by somebody else's open transaction, and changed when that is over"],
    [event.taken, idsTaken],
  ] as const;
  const told = notes.filter(([jobs]) => jobs.length > 0).map(([jobs, text]) => ` ${text}: ${refs(jobs)}.`);
  const level = parts.length > 0 || event.changedAtRunTime.length > 0 ? 'log' : 'debug';
  return {
    level: told.length > 0 ? 'warn' : level,
    text: `Synced ${count(declared, 'declared job')} with the storage: ${parts.length > 0 ? parts.join(', ') : 'nothing has changed'}.${told.join('')}${atRunTime(event.changedAtRunTime)}`,
  };
}

/** With the calls that end it. */
function standing({ pauses, jobs }: ChronisEventMap['pauses.standing']): LogLine {
  const scopes = pauses.map(({ kind, name, ...pause }) => ({
    what: kind === 'all' ? 'everything' : `the ${kind} "${name}"`,
    call: `resume({ ${kind}: ${kind === 'all' ? 'true' : `'${name}'`} })`,
    ...pause,
  }));
  const own = jobs.map(({ namespace, id, ...pause }) => ({
    what: `the job ${named({ namespace, id })}`,
    call: `resumeJob('${id}'${namespace === 'default' ? '' : `, { namespace: '${namespace}' }`})`,
    ...pause,
  }));
  const told = [...scopes, ...own].map(({ what, call, reason, by, at, until }) => {
    const end = until === null ? call : `${until.toISOString()}, or ${call}`;
    const why = [reason, by === null ? null : `by ${by}`].filter((part) => part !== null).join(', ');
    return `${what} since ${at.toISOString()}${why && ` (${why})`}, until ${end}`;
  });
  return { level: 'warn', text: `Paused for all processes: ${cutList(told, '; ')}.` };
}

function unserved(of: ChronisEventMap['workflows.unserved']): LogLine {
  const remedy =
    of.steps.length > 0
      ? ' Keep these handlers until the flows are over, or cancel them: workflows.cancel(runId).'
      : '';
  return {
    level: 'warn',
    text: `Workflows need what this release lacks: ${cutList(unservedWords(of), '; ')}.${remedy}`,
  };
}

function atRunTime(changed: ChronisEventMap['jobs.synced']['changedAtRunTime']): string {
  if (changed.length === 0) return '';
  const told = changed.map(({ options, ...job }) => {
    // By the names of the options, as users write them.
    return `${named(job)} (${options.map((option) => option.replace(/Ms$/, '')).join(', ')})`;
  });
  return ` ${changed.length === 1 ? '1 job is' : `${changed.length} jobs are`} changed at run time, which resetJob() takes back: ${cutList(told)}.`;
}

function upNext({
  nextAt,
  nextJob,
  isDue,
}: Pick<ChronisEventMap['scheduler.started'], 'nextAt' | 'nextJob' | 'isDue'>): string {
  if (nextAt === null) return 'Next: nothing.';
  const at = isDue ? 'at once, due since' : 'at';
  if (nextJob === null) return `Next: a run ${at} ${nextAt.toISOString()}.`;
  const { timeZone, wallTime } = nextJob;
  return `Next: ${named(nextJob)} ${at} ${wallTime.replace(/:00$/, '')} in ${timeZone}.`;
}

/** Those that nobody executes again need somebody to look at them. */
function lostRuns(gaveUp: ChronisEventMap['workers.released']['gaveUp']): string {
  if (gaveUp.length === 0) return '';
  const lost = gaveUp.map(({ runId, jobId, handler }) => `${runId} of "${jobId}" (${handler})`);
  return ` Lost for good: ${cutList(lost)}.`;
}

function describe(run: RunEvent): string {
  const job = named({ namespace: run.namespace, id: run.jobId });
  // The id of a job made at run time may be random: the handler tells what it is.
  const handler = run.handler === run.jobId ? '' : ` (${run.handler})`;
  return `Run ${run.runId} of ${job}${handler}${run.attempt > 1 ? `, attempt ${run.attempt},` : ''}`;
}
