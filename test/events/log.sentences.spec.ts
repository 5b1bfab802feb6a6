import { Logger, type LogLevel } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RetryAfterError } from '../../lib/model/errors.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { logEvents } from '../../lib/events/event.logger.js';
import { run } from '../support/run.event.js';

describe('the log', () => {
  const events = new ChronisEvents();
  let lines: [level: string, text: string, stack?: unknown][];
  let stop: () => void;

  beforeEach(() => {
    lines = [];
    const write =
      (level: string) =>
      (text: unknown, ...rest: unknown[]) =>
        void lines.push(rest.length > 1 ? [level, String(text), rest[0]] : [level, String(text)]);
    const levels: LogLevel[] = ['log', 'warn', 'error', 'debug'];
    // Nest keeps the levels of the process apart from its logger: those that an application of another file was given stay.
    Logger.overrideLogger(levels);
    Logger.overrideLogger(Object.fromEntries(levels.map((level) => [level, write(level)])) as never);
    stop = logEvents(events);
  });
  afterEach(() => {
    stop();
    Logger.overrideLogger(false);
  });

  test('says of what was cancelled whether it had begun', () => {
    events.emit('run.cancelled', { ...run, durationMs: 20, hasBegun: true });
    events.emit('run.cancelled', { ...run, durationMs: 0, hasBegun: false });
    expect(lines.map(([level, text]) => [level, / was cancelled .*/.exec(text)?.[0]])).toEqual([
      ['log', ' was cancelled after 20 ms.'],
      ['debug', ' was cancelled before it began.'],
    ]);
  });

  test('has no line that a name or an error makes', () => {
    const forged = 'a\n2026-11-30T10:00:00.000Z ERROR forged';
    for (const end of ['\r\n', '\r', '\u2028', '\u0085'])
      events.emit('files.mended', { directory: '/d', file: `x${end}${forged}\u001b[2K` });
    events.emit('run.failed', { ...run, jobId: forged, error: new Error(forged) });
    for (const text of lines.flatMap(([, ...texts]) => texts.map(String))) {
      expect(
        text
          .split(/[\n\r\u2028\u0085]/)
          .slice(1)
          .every((line) => line.startsWith('    ')),
      ).toBe(true);
      expect(text).not.toContain('\u001b');
    }
    expect(lines).toHaveLength(5);
  });

  test('tells what a process that runs no jobs has stored', () => {
    const stored = { app: 'shop', declared: 2, created: [], taken: [] };
    const [a, b] = ['a', 'b'].map((id) => ({ namespace: 'default', id }));
    events.emit('jobs.stored', stored);
    events.emit('jobs.stored', { ...stored, created: [a!] });
    events.emit('jobs.stored', { ...stored, created: [a!, b!] });
    events.emit('jobs.stored', { ...stored, taken: [b!] });
    const none = 'Of 2 declared jobs none was missing.';
    expect(lines).toEqual([
      ['debug', none],
      ['log', 'Of 2 declared jobs 1 was stored for workers to come ("a").'],
      ['log', 'Of 2 declared jobs 2 were stored for workers to come ("a", "b").'],
      ['warn', `${none} Not stored, as the ids belong to jobs of other apps or were taken at run time: "b".`],
    ]);
  });

  test('tells of a run that is executed alone what that keeps from beginning', () => {
    const { durationMs: _, ...told } = run;
    events.emit('run.isolated', { ...told, attempt: 3, lostCount: 2, atMostMs: 300_000 });
    expect(lines).toEqual([
      [
        'warn',
        'Run 42 of "daily" (Reports.daily), attempt 3, is executed alone, as its workers have died (2): nothing else begins in this process until it has ended, or for 300 s at most. Other processes go on meanwhile; where there is none, start a second one.',
      ],
    ]);
  });

  test('tells at the start what was found, what has changed, and when the next job is due', () => {
    events.emit('jobs.explored', { jobs: 3, handlers: ['A.a'], runs: [], repeated: [] });
    const refs = (...ids: string[]) => ids.map((id) => ({ namespace: id === 'c' ? 'other' : 'default', id }));
    const synced = {
      app: 'shop',
      generation: 1,
      declared: 3,
      deleted: [],
      changedAtRunTime: [],
      outranked: [],
      postponed: [],
      taken: [],
    };
    events.emit('jobs.synced', { ...synced, created: refs('a', 'c'), changed: [], superseded: refs('b') });
    events.emit('jobs.synced', { ...synced, created: [], changed: [], superseded: [] });
    events.emit('jobs.synced', { ...synced, created: [], changed: [], superseded: [], postponed: refs('a') });
    const [one, other] = refs('a', 'c');
    const changedAtRunTime = [
      { ...one!, options: ['timeoutMs' as const, 'trigger' as const] },
      { ...other!, options: ['payload' as const] },
    ];
    events.emit('jobs.synced', { ...synced, created: [], changed: [], superseded: [], changedAtRunTime });
    const started = {
      name: 'host:1',
      app: 'shop',
      storage: 'postgres',
      timeZone: 'UTC',
      queues: ['default', 'slow'],
      concurrency: 10,
    } as const;
    const job = { namespace: 'other', id: 'c', timeZone: 'Asia/Seoul', wallTime: '2026-01-01 18:00:00' };
    const nextAt = new Date('2026-01-01T09:00:00Z');
    events.emit('scheduler.started', { ...started, nextAt, nextJob: job, isDue: false });
    events.emit('scheduler.started', { ...started, nextAt, nextJob: null, isDue: false });
    events.emit('scheduler.started', { ...started, nextAt, nextJob: job, isDue: true });
    events.emit('scheduler.started', {
      ...started,
      queues: ['slow'],
      nextAt: null,
      nextJob: null,
      isDue: false,
    });
    expect(lines).toEqual([
      ['log', 'Found 3 declared jobs and 1 handler.'],
      [
        'log',
        'Synced 3 declared jobs with the storage: 2 created ("a", "c" in "other"), 1 not in force any more ("b").',
      ],
      ['debug', 'Synced 3 declared jobs with the storage: nothing has changed.'],
      [
        'warn',
        'Synced 3 declared jobs with the storage: nothing has changed. Locked by somebody else\'s open transaction, and changed when that is over: "a".',
      ],
      [
        'log',
        'Synced 3 declared jobs with the storage: nothing has changed. 2 jobs are changed at run time, which resetJob() takes back: "a" (timeout, trigger), "c" in "other" (payload).',
      ],
      [
        'log',
        'Running jobs of "shop" as host:1 on postgres: queues default and slow, 10 at a time, default zone UTC. Next: "c" in "other" at 2026-01-01 18:00 in Asia/Seoul.',
      ],
      ['log', expect.stringMatching(/default zone UTC\. Next: a run at 2026-01-01T09:00:00\.000Z\.$/)],
      [
        'log',
        expect.stringMatching(/Next: "c" in "other" at once, due since 2026-01-01 18:00 in Asia\/Seoul\.$/),
      ],
      ['log', expect.stringMatching(/: queue slow, 10 at a time, .* Next: nothing\.$/)],
    ]);
  });

  test('says until when the jobs of a folder stay that cannot be read', () => {
    const directory = '/jobs.d';
    const reason = "ENOENT: no such file or directory, scandir '/jobs.d'";
    const empty = 'The folder /jobs.d is empty. That is believed when it has been so for 10 s.';
    events.emit('files.unreadable', { directory, reason, jobs: 2 });
    events.emit('files.unreadable', { directory, reason: empty, jobs: 1 });
    expect(lines).toEqual([
      [
        'warn',
        `The folder of job files /jobs.d cannot be read: ${reason}. Its 2 jobs stay in force until it can.`,
      ],
      ['warn', `${empty} Its 1 job stays in force until then.`],
    ]);
  });

  test('is silent about what goes well, and complete about what fails', () => {
    const error = new Error('no paper');
    events.emit('run.started', { ...run, lagMs: 3, lateMs: 3 });
    events.emit('run.succeeded', run);
    events.emit('run.retrying', { ...run, error, retryAt: new Date('2026-01-01T09:00:10Z') });
    events.emit('run.failed', { ...run, attempt: 2, namespace: 'other', error });
    events.emit('run.succeeded', { ...run, jobId: 'Reports.daily', handler: 'Reports.daily' });
    expect(lines).toEqual([
      ['debug', 'Run 42 of "daily" (Reports.daily) succeeded after 1234 ms.'],
      [
        'warn',
        'Run 42 of "daily" (Reports.daily) failed after 1234 ms and is tried again at 2026-01-01T09:00:10.000Z: no paper',
      ],
      [
        'error',
        'Run 42 of "daily" in "other" (Reports.daily), attempt 2, failed after 1234 ms: no paper',
        error.stack,
      ],
      ['debug', 'Run 42 of "Reports.daily" succeeded after 1234 ms.'],
    ]);
  });

  test.each([
    [-2_500.4, '2500 ms behind'],
    [-12_000, '12 s behind'],
    [259_199_967, '72 h ahead of'],
    [40 * 86_400_000, '40 d ahead of'],
  ])('tells a clock that is %i ms off in words', (offsetMs, words) => {
    events.emit('clock.offset', { offsetMs });
    expect(lines[0]![1]).toContain(`The clock of this machine is ${words} the storage's`);
  });

  test('tells once that the storage fails, and once that it answers again', () => {
    const failing = { operation: 'work', error: new Error('connection refused'), retryInMs: 50 };
    for (let i = 0; i < 3; i++) events.emit('storage.failing', failing);
    events.emit('storage.recovered', { operation: 'work', failures: 3 });
    events.emit('storage.failing', failing);
    const told = 'The storage failed (work): connection refused. Trying until it answers.';
    expect(lines).toEqual([
      ['warn', told],
      ['debug', told],
      ['debug', told],
      ['log', 'The storage answers again (work) after 3 failures.'],
      ['warn', told],
    ]);
  });

  test.each([
    ['fire default/daily', 'The job default/daily could not be fired'],
    ['settle run 7', 'The verdict of run 7 could not be stored'],
    ['claim run 7', 'Run 7 could not be claimed'],
    ['release run 7', 'Run 7 could not be taken back from a worker that has died'],
    ['give back run 7', 'Run 7 could not be given back'],
    ['forget attempts of run 7', 'An old row could not be deleted (attempts of run 7)'],
  ])('names the one row that fails: %s', (operation, told) => {
    events.emit('storage.failing', { operation, error: new Error('out of range'), retryInMs: 60_000 });
    expect(lines).toEqual([['warn', `${told}: out of range. Trying again in 60 s.`]]);
  });

  test('tells one outage once when it begins and once when it is over, however many operations meet it', () => {
    const fail = (operation: string, retryInMs = 50): void =>
      events.emit('storage.failing', { operation, error: new Error('refused'), retryInMs });
    const recover = (operation: string): void => events.emit('storage.recovered', { operation, failures: 3 });
    for (const operation of ['work', 'renew', 'settle', 'release', 'give back']) fail(operation);
    fail('prune', 60_000);
    fail('work');
    for (const operation of ['renew', 'settle', 'give back', 'release', 'work', 'prune']) recover(operation);
    // What fails for itself is told for itself, also beside an outage.
    fail('prune', 60_000);
    fail('renew');
    fail('fire default/daily', 1_000);
    recover('renew');
    recover('fire default/daily');
    expect(lines.filter(([level]) => level !== 'debug')).toEqual([
      ['warn', 'The storage failed (work): refused. Trying until it answers.'],
      ['log', 'The storage answers again (work) after 3 failures.'],
      ['warn', 'The storage failed (prune): refused. Trying again in 60 s.'],
      ['warn', 'The storage failed (renew): refused. Trying until it answers.'],
      ['warn', 'The job default/daily could not be fired: refused. Trying until it answers.'],
      ['log', 'The storage answers again (renew) after 3 failures.'],
      ['log', 'The storage answers again (fire default/daily) after 3 failures.'],
    ]);
  });

  test.each(['sync', 'give back', 'release', 'stray runs', 'update worker', 'read news'])(
    'tells an outage also beside an operation that fails for itself: %s',
    (alone) => {
      const fail = (operation: string, retryInMs: number): void =>
        events.emit('storage.failing', { operation, error: new Error('refused'), retryInMs });
      fail(alone, 5_000);
      fail('work', 50);
      fail('renew', 1_000);
      events.emit('storage.recovered', { operation: 'work', failures: 1 });
      events.emit('storage.recovered', { operation: 'renew', failures: 1 });
      events.emit('storage.recovered', { operation: alone, failures: 7 });
      expect(lines.filter(([level]) => level !== 'debug')).toEqual([
        ['warn', `The storage failed (${alone}): refused. Trying until it answers.`],
        ['warn', 'The storage failed (work): refused. Trying until it answers.'],
        ['log', 'The storage answers again (work, renew) after 1 failure.'],
        ['log', `The storage answers again (${alone}) after 7 failures.`],
      ]);
    },
  );

  test('names a later attempt whose rule cannot be used', () => {
    const error = new RetryAfterError(NaN);
    events.emit('retry-rule.failed', { ...run, attempt: 2, rule: 'RetryAfterError', error });
    expect(lines[0]![1]).toBe(
      'Run 42 of "daily" (Reports.daily), attempt 2: RetryAfterError of the handler cannot be used, so the retries of the job count: To be tried again after NaN.',
    );
  });

  test('leaves out what there is none of', () => {
    const none = { attempts: 0, days: 0, gaps: 0, jobs: 0, deadLetters: 0 };
    events.emit('record.pruned', { ...none, attempts: 1, days: 2 });
    events.emit('workers.released', { workers: ['a'], rerun: 2, ended: 0, gaveUp: [] });
    events.emit('storage.failing', { operation: 'work', error: new Error('Gone.'), retryInMs: 0 });
    expect(lines.map(([, text]) => text)).toEqual([
      'Old records deleted: 1 attempt, 2 whole days of attempts.',
      '1 worker died: 2 runs will be executed again.',
      'The storage failed (work): Gone. Going on without.',
    ]);
  });

  test('names the runs that no worker executes again', () => {
    const gaveUp = [{ runId: '7', jobId: 'import', namespace: 'default', handler: 'Files.import' }];
    events.emit('workers.released', { workers: ['a'], rerun: 0, ended: 1, gaveUp });
    expect(lines).toEqual([
      [
        'error',
        '1 worker died: 0 runs will be executed again, 1 ended without another attempt. Lost for good: 7 of "import" (Files.import).',
        undefined,
      ],
    ]);
  });

  test('says of a result that came too late no more than is known', () => {
    events.emit('run.stale', run);
    expect(lines).toEqual([
      [
        'warn',
        'Run 42 of "daily" (Reports.daily) ended too late: it was given up, or belongs to another worker by now, and its result was refused.',
      ],
    ]);
  });

  test('names what a person has to act on', () => {
    const job = { namespace: 'default', id: 'daily' };
    events.emit('modules.boot-later', { modules: ['CacheModule', 'DbModule'], scheduler: 'ChronisModule' });
    events.emit('job.orphaned', job);
    const [from, until] = [new Date('2026-01-01T00:01:00Z'), new Date('2026-01-01T00:05:00Z')];
    const gap = {
      ...job,
      handler: 'Reports.daily',
      from,
      until,
      verdict: 'missed',
      count: 5,
      reason: 'misfire',
    } as const;
    events.emit('gap.recorded', gap);
    events.emit('gap.recorded', { ...gap, count: 1, verdict: 'skipped', reason: 'overlap' });
    events.emit('clock.offset', { offsetMs: -2_500.4 });
    events.emit('enhancers.unapplied', {
      methods: [{ place: 'A.a', decorators: ['@UseGuards', '@UseFilters'] }],
    });
    const typed = { place: 'Mail.send', type: 'MailDto', pipes: true };
    events.emit('payloads.unmarked', { methods: [typed, { ...typed, place: 'Mail.next', type: null }] });
    expect(lines.pop()).toEqual([
      'warn',
      'No parameter has @Payload(), so these get the RunContext, as it is: Mail.send (MailDto, @UsePipes), Mail.next (@UsePipes). Mark the parameter that is to be the payload: @Payload() before its name. Types and pipes apply to that one.',
    ]);
    const unserved = [
      { ...job, handler: 'Reports.daily' },
      { namespace: 'default', id: 'Mail.digest', handler: 'Mail.digest' },
    ];
    events.emit('jobs.unserved', { app: 'shop', queue: 'mail', jobs: unserved, queues: ['default'] });
    expect(lines.pop()).toEqual([
      'warn',
      'No live process of "shop" runs the queue "mail", so nothing fires "daily" (Reports.daily), "Mail.digest". Let one run it: ChronisModule.forRoot({ queues: [\'default\', \'mail\'] }).',
    ]);
    events.emit('callbacks.unknown', {
      handler: 'alrt',
      callbacks: [{ ...job, option: 'onFailure', place: 'Reports.daily' }],
      meant: 'alert',
    });
    const doubled = [{ ...job, handler: 'Reports.daily' }];
    events.emit('methods.doubled', { app: 'shop', previousApp: 'default', jobs: doubled });
    expect(lines.pop()).toEqual([
      'warn',
      'As long as processes of "default" live, both they and "shop" run Reports.daily (there "daily"): the ids differ. If they are the same jobs, name the old ids in previousIds; they are taken over then, with their history.',
    ]);
    const renames = [{ ...job, place: 'Reports.daily', previousId: 'old', declaredBy: 'Reports.other' }];
    events.emit('renames.ignored', { renames });
    expect(lines.pop()).toEqual([
      'warn',
      'Not renamed: "old" to "daily" (Reports.daily), as Reports.other declares "old". Each id keeps its counters and history, whatever method has it. Take it out of previousIds; or, to exchange ids, do it in two releases: first give all but one of these jobs ids that are new, then those that have become free.',
    ]);
    const unsaid = { namespace: 'default', id: 'ReportService.daily', previousId: 'Reports.daily' };
    events.emit('renames.unsaid', { app: 'shop', renames: [unsaid] });
    expect(lines.pop()).toEqual([
      'warn',
      'Renamed, it seems: "Reports.daily" to "ReportService.daily". Both are named after their method, so they are two jobs: the old one runs beside the new one while a process declares it, and the new one begins without its counters and history. To go on with the old job, give the method its id (id: \'Reports.daily\'); the next time, name the old id in previousIds in the release that renames. If they are two jobs, log: { silent: \'renames.unsaid\' }.',
    ]);
    expect(lines).toEqual([
      [
        'warn',
        'Jobs may run before CacheModule and DbModule are ready, and after they have closed. Import ChronisModule last in the root module; hooks of the root module itself belong into a module of their own.',
      ],
      [
        'warn',
        'No live process declares the job "daily" any more: it does not run, and is kept as orphaned.',
      ],
      [
        'warn',
        'The job "daily" did not run from 2026-01-01T00:01:00.000Z to 2026-01-01T00:05:00.000Z, 5 times (missed: misfire).',
      ],
      ['debug', 'The job "daily" did not run at 2026-01-01T00:01:00.000Z (skipped: overlap).'],
      ['warn', "The clock of this machine is 2500 ms behind the storage's, which decides what is due."],
      [
        'warn',
        'Runs pass by @UseGuards and @UseFilters of A.a: say useEnhancers: true to apply them, or false if that is meant.',
      ],
      [
        'warn',
        'No live process has the handler "alrt", which is onFailure of "daily" (Reports.daily): such runs wait until one has it. Did you mean "alert"?',
      ],
    ]);
  });

  test('goes on when a listener throws', () => {
    const failing = events.on('job.orphaned', () => {
      throw new Error('my mistake');
    });
    events.emit('job.orphaned', { namespace: 'default', id: 'a' });
    failing();
    expect(lines.map(([level, text]) => [level, text])).toContainEqual([
      'error',
      'A listener of the event "job.orphaned" threw: my mistake',
    ]);
  });
});

test('what repeats itself has one line a minute for each handler or job, with the number of the others', () => {
  let now = Date.parse('2026-01-01T09:00:00Z');
  const told: string[] = [];
  const write = (text: unknown): void => void told.push(String(text));
  Logger.overrideLogger(['log', 'warn', 'error', 'debug']);
  Logger.overrideLogger({ log: write, warn: write, error: write, debug: write });
  const quiet = new ChronisEvents('here', () => now);
  const stop = logEvents(quiet, { format: 'text', silent: new Set(), everyRun: false });
  const gap = {
    namespace: 'default',
    id: 'tick',
    handler: 'tick',
    from: new Date(now),
    until: new Date(now),
    count: 1,
    reason: 'overlap',
  };
  for (let second = 0; second <= 120; second++, now += 1_000) {
    quiet.emit('run.succeeded', { ...run, runId: String(second), jobId: `job-${second}` });
    if (second % 60 === 0) quiet.emit('run.succeeded', { ...run, handler: 'other' });
    quiet.emit('gap.recorded', { ...gap, verdict: 'skipped' });
    if (second < 3) quiet.emit('gap.recorded', { ...gap, verdict: 'missed' });
  }
  stop();
  Logger.overrideLogger(false);
  const of = (pattern: RegExp): string[] => told.filter((line) => pattern.test(line));
  expect(of(/Reports\.daily.* succeeded/)).toEqual([
    'Run 0 of "job-0" (Reports.daily) succeeded after 1234 ms.',
    'Run 60 of "job-60" (Reports.daily) succeeded after 1234 ms. 59 more since the last of these lines.',
    'Run 120 of "job-120" (Reports.daily) succeeded after 1234 ms. 59 more since the last of these lines.',
  ]);
  expect(of(/other/)).toHaveLength(3);
  expect(of(/skipped/)).toHaveLength(3);
  expect(of(/skipped/)[2]).toMatch(/\(skipped: overlap\)\. 59 more since the last of these lines\.$/);
  expect(of(/missed/)).toHaveLength(3);
});

test('a start tries for as long as it may, and says so', () => {
  const told: string[] = [];
  const write = (text: unknown): void => void told.push(String(text));
  Logger.overrideLogger({ log: write, warn: write, error: write, debug: write });
  const events = new ChronisEvents();
  const stop = logEvents(events);
  events.emit('storage.failing', { operation: 'connect', error: new Error('refused'), retryInMs: 100 });
  stop();
  Logger.overrideLogger(false);
  expect(told).toEqual([
    'The storage failed (connect): refused. Trying for as long as connectTimeoutMs allows.',
  ]);
});

test('tells what a stop waits for, what a kill has left, and a run that goes on and on', () => {
  const told: string[] = [];
  const write = (text: unknown): void => void told.push(String(text));
  Logger.overrideLogger({ log: write, warn: write, error: write, debug: write });
  const events = new ChronisEvents();
  const stop = logEvents(events);
  events.emit('worker.draining', { workerId: 'w', runs: [run], timeoutMs: 19_000 });
  events.emit('worker.draining', {
    workerId: 'w',
    runs: [run, { ...run, runId: '43', attempt: 2 }],
    timeoutMs: 19_000,
  });
  events.emit('workers.killed', { workers: [{ workerId: 'w', pid: 42, leaseMs: 27_100 }] });
  events.emit('shutdown.unhooked', { signal: 'SIGTERM', leaseMs: null });
  events.emit('shutdown.unhooked', { signal: 'SIGTERM', leaseMs: 30_000 });
  events.emit('job.held-up', {
    namespace: 'default',
    id: 'daily',
    runId: '42',
    workerId: 'w',
    runningMs: 7_300_000,
  });
  const open = { namespace: 'default', id: 'daily', runId: '42', workerId: null };
  events.emit('job.held-up', { ...open, runningMs: 7_300_000 });
  stop();
  Logger.overrideLogger(false);
  expect(told).toEqual([
    'Stopping: waiting for 1 run, 19 s at most, then its signal fires: Run 42 of "daily" (Reports.daily).',
    'Stopping: waiting for 2 runs, 19 s at most, then their signals fire: Run 42 of "daily" (Reports.daily), Run 43 of "daily" (Reports.daily), attempt 2.',
    'Ended on this machine without a stop (killed, crashed, or by process.exit): process 42. What it was running is executed again when its lease has ended, in 28 s; until then the jobs of these runs may wait. Where a signal ends it, as with nest start --watch, app.enableShutdownHooks() lets it stop first; code that ends it calls app.close() before.',
    'Nothing listens to SIGTERM, so it ends this process in the middle of its runs. Call app.enableShutdownHooks().',
    'Nothing listens to SIGTERM, so it ends this process in the middle of its runs, which nobody executes again until its lease has ended, 30 s later. Call app.enableShutdownHooks().',
    'The job "daily" is skipped, as its run 42 has gone on for 2 h by now (worker w). If it hangs, cancelRun(\'42\') ends it; a timeout lets no run go on for ever.',
    `The job "daily" is skipped, as its run 42 has been open for 2 h by now: complete(), fail() or cancelRun('42') ends it, and a deadline lets none be open for ever.`,
  ]);
});
