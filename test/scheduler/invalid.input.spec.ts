import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DuplicateHandlerError,
  EmptyJobIdError,
  InvalidHandlerError,
  InvalidJobIdError,
  InvalidOptionError,
  InvalidScheduleError,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { work, wrong, type Refusal } from '../support/refusal.js';

const oneOffs = 'createDateJob(), or schedule() with "at" or "in".';
const pace = 'What recurs at a pace is created by createIntervalJob(), or schedule() with "every".';
const calendar = 'What recurs by the calendar is created by createCronJob(), or schedule() with "cron".';

/** What was looked for in the wrong call, with where it belongs. */
const misplaced: Refusal[] = [
  [
    'parts of a duration in a cron',
    (s) => s.createCronJob(wrong({ handler: 'work', minutes: 5 })),
    InvalidOptionError,
    `minutes: createCronJob() has no such option. ${pace}`,
  ],
  [
    'a delay of a cron',
    (s) => s.createCronJob(wrong({ handler: 'work', in: '5m' })),
    InvalidOptionError,
    `in: createCronJob() has no such option. What is due once is created by ${oneOffs}`,
  ],
  [
    'a delay of an interval',
    (s) => s.createIntervalJob(wrong({ handler: 'work', in: '5m' })),
    InvalidOptionError,
    `in: createIntervalJob() has no such option. What is due once is created by ${oneOffs}`,
  ],
  [
    'a pace of a cron',
    (s) => s.createCronJob(wrong({ handler: 'work', every: '5m' })),
    InvalidOptionError,
    `every: createCronJob() has no such option. ${pace}`,
  ],
  [
    'an expression of an interval',
    (s) => s.createIntervalJob(wrong({ handler: 'work', cron: '* * * * *' })),
    InvalidOptionError,
    `cron: createIntervalJob() has no such option. ${calendar}`,
  ],
  [
    'a misspelt part of an interval',
    (s) => s.createIntervalJob(wrong({ handler: 'work', minute: 5 })),
    InvalidOptionError,
    'minute: createIntervalJob() has no such option. Did you mean "minutes"?',
  ],
  [
    'an expression of a one-off',
    (s) => s.createDateJob(wrong({ handler: 'work', cron: '* * * * *' })),
    InvalidOptionError,
    `cron: createDateJob() has no such option. ${calendar}`,
  ],
  [
    'parts of a delay without their option',
    (s) => s.createDateJob(wrong({ handler: 'work', minutes: 5 })),
    InvalidOptionError,
    'minutes: createDateJob() has no such option. A delay is given as { in: { minutes: 5 } }.',
  ],
  [
    'keep of what recurs',
    (s) => s.createIntervalJob(wrong({ ...work, keep: '1d' })),
    InvalidOptionError,
    `keep: createIntervalJob() has no such option. It is for one-offs: ${oneOffs}`,
  ],
  [
    'refusePast of what recurs',
    (s) => s.schedule('work', wrong({ cron: '* * * * *', refusePast: true })),
    InvalidOptionError,
    'refusePast: schedule() with "cron" has no such option. It goes with "at" or "in".',
  ],
  [
    'a trigger as data in schedule()',
    (s) => s.schedule('work', wrong({ trigger: { type: 'manual' } })),
    InvalidOptionError,
    'trigger: schedule() has no such option. A trigger as data is for createJob().',
  ],
  [
    'parts of a duration as fields of a cron',
    (s) => s.schedule('work', wrong({ cron: { minutes: 5 } })),
    InvalidScheduleError,
    'Cron fields: there is no field "minutes". "minute" is one of the calendar and the clock',
  ],
  [
    'a time as a cron',
    (s) => s.createCronJob(wrong({ handler: 'work', cron: new Date(0) })),
    InvalidScheduleError,
    'Cron: the time 1970-01-01T00:00:00.000Z is neither an expression nor fields. What is due once is given as "at".',
  ],
  [
    'a time as a delay',
    (s) => s.schedule('work', { in: Date.UTC(2026, 0, 1) }),
    InvalidScheduleError,
    'in: 1767225600000 can only be a time, and not how long. For 2026-01-01T00:00:00.000Z give "at"',
  ],
  [
    'who changes a job, among the changes',
    (s) => s.updateJob('job', wrong({ maxRetries: 1, by: 'me' })),
    InvalidOptionError,
    'by: updateJob() has no such option. Give it as an argument of its own, the last one: { by }.',
  ],
  [
    'the handler among the options of schedule()',
    (s) => s.schedule(wrong({ handler: 'work', in: '1d' }), wrong(undefined)),
    InvalidOptionError,
    `handler: is {"handler":"work","in":"1d"}, but schedule() takes the handler first, then the options: schedule('work', { in: '5m' }).`,
  ],
  [
    'nothing at all',
    (s) => s.schedule(wrong(undefined), wrong(undefined)),
    InvalidOptionError,
    'handler: is undefined, but schedule() takes the handler first',
  ],
  [
    'two handlers',
    (s) => s.schedule('work', wrong({ handler: 'other', in: '1d' })),
    InvalidOptionError,
    'handler: is given twice. Leave it out of the options',
  ],
  [
    'a limit of a change of many jobs',
    (s) => s.deleteMany(wrong({ limit: 10 })),
    InvalidOptionError,
    'limit: the filter of deleteMany() has no such option. All that meet the filter are concerned. Leave it out.',
  ],
  [
    'a condition that there is not on many jobs',
    (s) => s.pauseMany(wrong({ colour: 'red' })),
    InvalidOptionError,
    'colour: the filter of pauseMany() has no such option. There are: namespace, state,',
  ],
  [
    'no id to look up',
    (s) => s.getJob(wrong(undefined)),
    EmptyJobIdError,
    'The job id is empty. Give the id of the job.',
  ],
  [
    'no id to delete',
    (s) => s.deleteJob(wrong(undefined)),
    EmptyJobIdError,
    'The job id is empty. Give the id of the job.',
  ],
  [
    'no id to replace',
    (s) => s.upsert(work),
    EmptyJobIdError,
    'The job id is empty. upsert() needs the id of the job.',
  ],
];

const refusals: Refusal[] = [
  ...misplaced,
  [
    'a manager among the options of the job',
    (s) => s.schedule('work', wrong({ in: '1h', manager: {} })),
    InvalidOptionError,
    'manager: schedule() has no such option. Give it as an argument of its own, the last one: { manager }.',
  ],
  [
    'a manager in a query',
    (s) => s.queryJobs(wrong({ manager: {} })),
    InvalidOptionError,
    'manager: a query of jobs has no such option. Give it as an argument of its own, the last one: { manager }.',
  ],
  [
    'a part of a schedule for a job that exists',
    (s) => s.updateJob('job', wrong({ jitter: '5s' })),
    InvalidOptionError,
    'jitter: belongs to a schedule, which is changed as a whole. Give it beside "every" or "cron".',
  ],
  [
    'two schedules for a job that exists',
    (s) => s.updateJob('job', wrong({ every: '5m', trigger: { type: 'manual' } })),
    InvalidScheduleError,
    'The schedule is given 2 times, as "every" and as "trigger". Give one of them.',
  ],
  [
    'an option of another schedule',
    (s) => s.updateJob('job', wrong({ every: '5m', dst: { gap: 'skip' } })),
    InvalidOptionError,
    'dst: updateJob() with "every" has no such option.',
  ],
  [
    'overlap of a one-off',
    (s) => s.schedule('work', wrong({ in: '5m', overlap: 'queue' })),
    InvalidOptionError,
    'overlap: is for what recurs; a one-off is due once. Leave it out.',
  ],
  [
    'failures in a row of a one-off',
    (s) => s.createDateJob(wrong({ handler: 'work', in: '5m', pauseAfterFailures: 3 })),
    InvalidOptionError,
    'pauseAfterFailures: is for what recurs; a one-off is due once. Leave it out.',
  ],
  [
    'an hour that there is not',
    (s) => s.schedule('work', { cron: '0 25 * * *' }),
    InvalidScheduleError,
    'Cron "0 25 * * *": "25" is not an hour. It must be 0 to 23.',
  ],
  [
    'an empty id',
    (s) => s.createIntervalJob({ ...work, id: '' }),
    EmptyJobIdError,
    'The job id is empty. Give a non-empty string, or leave the id out to have one generated.',
  ],
  [
    'an id of blanks',
    (s) => s.createIntervalJob({ ...work, id: '  ' }),
    EmptyJobIdError,
    'The job id is empty.',
  ],
  [
    'an id that is null',
    (s) => s.createIntervalJob({ ...work, id: wrong(null) }),
    EmptyJobIdError,
    'The job id is empty.',
  ],
  [
    'an id that is a number',
    (s) => s.createIntervalJob({ ...work, id: wrong(7) }),
    InvalidJobIdError,
    'The job id must be a string, but is 7.',
  ],
  [
    'an id that is too long',
    (s) => s.createIntervalJob({ ...work, id: 'x'.repeat(256) }),
    InvalidJobIdError,
    'The job id has 256 characters; at most 255 are allowed.',
  ],
  [
    'an id with a NUL',
    (s) => s.createIntervalJob({ ...work, id: 'a\0b' }),
    InvalidJobIdError,
    'The job id "a\\u0000b" holds control characters or halves of surrogate pairs, which cannot be stored.',
  ],
  ['an id to look up that is empty', (s) => s.getJob(''), EmptyJobIdError, 'The job id is empty.'],
  [
    'a namespace with a slash',
    (s) => s.getJob('a', { namespace: 'a/b' }),
    InvalidOptionError,
    `namespace: 'a/b' must not hold a "/".`,
  ],
  [
    'a handler that is a function',
    (s) => s.createIntervalJob(wrong({ ...work, handler: () => 1 })),
    InvalidOptionError,
    'handler: must be the name of a handler, but is a function. Register it with registerHandler(name, fn) and give the name.',
  ],
  [
    'no handler',
    (s) => s.createIntervalJob(wrong({ every: '1h' })),
    InvalidOptionError,
    'handler: is missing. Give the name of a handler, or a task: { task: { type, … } }.',
  ],
  [
    'no options',
    (s) => s.createIntervalJob(wrong(undefined)),
    InvalidOptionError,
    'options: createIntervalJob() takes an object, but was given undefined.',
  ],
  [
    'an option with another spelling',
    (s) => s.createCronJob(wrong({ handler: 'work', hour: 9, timezone: 'UTC' })),
    InvalidOptionError,
    'timezone: createCronJob() has no such option. Did you mean "timeZone"?',
  ],
  [
    'an option of another call',
    (s) => s.createIntervalJob(wrong({ ...work, runAt: '2030-01-01 00:00' })),
    InvalidOptionError,
    `runAt: createIntervalJob() has no such option. What is due once is created by ${oneOffs}`,
  ],
  ...(
    [
      ['runAt', 'at'],
      ['run_date', 'at'],
      ['delay', 'in'],
      ['interval', 'every'],
      ['minutes', 'every'],
      ['expression', 'cron'],
      ['hour', 'cron'],
      ['func', 'handler'],
      ['job_id', 'id'],
      ['data', 'payload'],
      ['attempts', 'maxRetries'],
    ] as const
  ).map(([given, meant]): Refusal => [
    `an option by its name elsewhere, ${given}`,
    (s) => s.upsert(wrong({ id: 'x', handler: 'work', [given]: 5 })),
    InvalidOptionError,
    `${given}: upsert() has no such option. Did you mean "${meant}"?`,
  ]),
  [
    'an option of a change by its name elsewhere',
    (s) => s.updateJob('job', wrong({ expression: '* * * * *' })),
    InvalidOptionError,
    'expression: updateJob() has no such option. Did you mean "cron"?',
  ],
  [
    'no interval',
    (s) => s.createIntervalJob(wrong({ handler: 'work' })),
    InvalidScheduleError,
    'The schedule is missing. Give "every" or parts such as "minutes".',
  ],
  [
    'two intervals',
    (s) => s.createIntervalJob(wrong({ ...work, seconds: 5 })),
    InvalidScheduleError,
    'The schedule is given 2 times, as "every" and as parts such as "minutes". Give one of them.',
  ],
  [
    'two crons',
    (s) => s.createCronJob(wrong({ handler: 'work', expression: '* * * * *', hour: 9 })),
    InvalidScheduleError,
    'The schedule is given 2 times, as fields such as "hour" and as "expression". Give one of them.',
  ],
  [
    'no date',
    (s) => s.createDateJob(wrong({ handler: 'work' })),
    InvalidScheduleError,
    'The schedule is missing. Give "at" or "in".',
  ],
  [
    'an interval of zero',
    (s) => s.createIntervalJob({ handler: 'work', every: 0 }),
    InvalidScheduleError,
    'every: 0 must be longer than zero.',
  ],
  [
    'parts that are zero',
    (s) => s.createIntervalJob({ handler: 'work', seconds: 0 }),
    InvalidScheduleError,
    'every: {"seconds":0} must be longer than zero.',
  ],
  [
    'a negative interval',
    (s) => s.createIntervalJob({ handler: 'work', seconds: -1 }),
    InvalidScheduleError,
    'every: {"seconds":-1} has a negative part "seconds".',
  ],
  [
    'an interval of NaN',
    (s) => s.createIntervalJob({ handler: 'work', every: NaN }),
    InvalidScheduleError,
    'every: NaN is not a finite number.',
  ],
  [
    'an empty cron',
    (s) => s.createCronJob({ handler: 'work', expression: '' }),
    InvalidScheduleError,
    'empty',
  ],
  [
    'a cron without anything',
    (s) => s.createCronJob(wrong({ handler: 'work' })),
    InvalidScheduleError,
    'The schedule is missing. Give "cron" or fields such as "hour".',
  ],
  [
    'a cron that no date matches',
    (s) => s.createCronJob({ handler: 'work', expression: '* * 31 2 *' }),
    InvalidScheduleError,
    'Cron "* * 31 2 *" never fires: no date matches it. Check the day against the months, weekdays and years.',
  ],
  [
    'fields that no date matches',
    (s) => s.createCronJob({ handler: 'work', month: 2, day: 30 }),
    InvalidScheduleError,
    'Cron {"month":2,"day":30} never fires: no date matches it.',
  ],
  [
    'a cron of which nothing is left',
    (s) =>
      s.createCronJob({
        handler: 'work',
        expression: '0 0 0 1 1 * 2020',
        exclude: [{ dates: ['2020-01-01'] }],
      }),
    InvalidScheduleError,
    'The schedule "0 0 0 1 1 * 2020" never fires: its dates, limits and exclusions leave no instant.',
  ],
  [
    'a cron that has ended',
    (s) => s.createCronJob({ handler: 'work', hour: 9, endAt: '2025-01-01 00:00' }),
    InvalidScheduleError,
    'The schedule {"hour":9} lies in the past: it has no instant from now on. Give a later end.',
  ],
  [
    'a zone that does not exist',
    (s) => s.createCronJob({ handler: 'work', hour: 9, timeZone: 'Asia/Soul' }),
    InvalidScheduleError,
    'timeZone: Asia/Soul is not an IANA time zone. Did you mean "Asia/Seoul"?',
  ],
  [
    'a date that is none',
    (s) => s.createDateJob({ handler: 'work', runAt: 'tomorrow' }),
    InvalidScheduleError,
    'at: "tomorrow" is not a date and time.',
  ],
  [
    'a time in seconds',
    (s) => s.schedule('work', { at: 1_893_456_000 }),
    InvalidScheduleError,
    'at: 1893456000 can only be seconds; a number is epoch milliseconds. Multiply it by 1000.',
  ],
  [
    'a time that no storage can keep',
    (s) => s.createDateJob({ handler: 'work', runAt: new Date(-8.64e15) }),
    InvalidScheduleError,
    'at: -271821-04-20T00:00:00.000Z is not an instant.',
  ],
  [
    'an invalid Date',
    (s) => s.createDateJob({ handler: 'work', runAt: new Date('x') }),
    InvalidScheduleError,
    'at: Invalid Date is not an instant.',
  ],
  [
    'a delay that is none',
    (s) => s.createDateJob({ handler: 'work', in: '5 bananas' }),
    InvalidScheduleError,
    'in: 5 bananas is not a duration.',
  ],
  [
    'a negative delay',
    (s) => s.createDateJob({ handler: 'work', in: -1 }),
    InvalidScheduleError,
    'in: -1 must not be negative.',
  ],
  [
    'a trigger of an unknown type',
    (s) => s.createJob({ handler: 'work', trigger: wrong({ type: 'corn' }) }),
    InvalidScheduleError,
    'trigger: its type is corn. Did you mean "cron"?',
  ],
  [
    'a trigger that waits for a job which is not there',
    (s) => s.createJob({ handler: 'work', id: 'c', trigger: { type: 'after', jobs: ['a'] } }),
    InvalidOptionError,
    'after: names "a", but the namespace "default" has no such job. Create it before "c", or in the same call of createMany().',
  ],
  [
    'no trigger',
    (s) => s.createJob(wrong({ handler: 'work' })),
    InvalidScheduleError,
    'The schedule is missing. Give "at" or "in" or "every" or "cron" or "trigger".',
  ],
  [
    'a conflict policy that does not exist',
    (s) => s.createIntervalJob({ ...work, onConflict: wrong('overwrite') }),
    InvalidOptionError,
    "onConflict: must be 'raise' or 'ignore' or 'replace', but is 'overwrite'.",
  ],
  [
    'an overlap policy that does not exist',
    (s) => s.createIntervalJob({ ...work, overlap: wrong('cancel') }),
    InvalidOptionError,
    "overlap: must be 'skip' or 'allow' or 'queue' or 'cancel-running', but is 'cancel'.",
  ],
  [
    'a misfire policy that does not exist',
    (s) => s.createIntervalJob({ ...work, misfire: wrong('run_once') }),
    InvalidOptionError,
    "misfire: must be 'skip' or 'once' or 'all', but is 'run_once'.",
  ],
  [
    'a misfire policy by another name that does not exist',
    (s) => s.createIntervalJob({ ...work, ifMissed: wrong('once') }),
    InvalidOptionError,
    "ifMissed: must be 'skip' or 'run_once' or 'run_all', but is 'once'.",
  ],
  [
    'two names of the misfire policy',
    (s) => s.createIntervalJob({ ...work, misfire: 'all', if_missed: 'run_all' }),
    InvalidOptionError,
    'if_missed: is another name of "misfire". Give one of them.',
  ],
  [
    'a limit of misfires without any',
    (s) => s.createIntervalJob({ ...work, misfireLimit: { count: 0 } }),
    InvalidOptionError,
    'misfireLimit.count: must be a whole number from 1 to 100000, but is 0.',
  ],
  [
    'a limit of misfires of a negative age',
    (s) => s.createIntervalJob({ ...work, misfireLimit: { age: -5 } }),
    InvalidScheduleError,
    'misfireLimit.age: -5 must be longer than zero.',
  ],
  [
    'a limit of misfires with an unknown key',
    (s) => s.createIntervalJob({ ...work, misfireLimit: wrong({ max: 5 }) }),
    InvalidOptionError,
    'max: misfireLimit has no such option. There are: count, age.',
  ],
  [
    'a negative threshold of misfires',
    (s) => s.createIntervalJob({ ...work, misfireThreshold: -1 }),
    InvalidScheduleError,
    'misfireThreshold: -1 must not be negative.',
  ],
  [
    'a recovery policy that does not exist',
    (s) => s.createIntervalJob({ ...work, recovery: wrong('') }),
    InvalidOptionError,
    "recovery: must be 'rerun' or 'abandon', but is ''.",
  ],
  [
    'negative retries',
    (s) => s.createIntervalJob({ ...work, maxRetries: -1 }),
    InvalidOptionError,
    'maxRetries: must be a whole number from 0 to 1000000, but is -1.',
  ],
  [
    'half a retry',
    (s) => s.createIntervalJob({ ...work, maxRetries: 1.5 }),
    InvalidOptionError,
    'maxRetries: must be a whole number from 0 to 1000000, but is 1.5.',
  ],
  [
    'a priority beyond the last',
    (s) => s.createIntervalJob({ ...work, priority: 10 }),
    InvalidOptionError,
    'priority: must be a whole number from 0 (first) to 9 (last), or one of CRITICAL, HIGH, NORMAL, LOW, but is 10.',
  ],
  [
    'a priority without a level',
    (s) => s.createIntervalJob({ ...work, priority: wrong('urgent') }),
    InvalidOptionError,
    "priority: must be a whole number from 0 (first) to 9 (last), or one of CRITICAL, HIGH, NORMAL, LOW, but is 'urgent'.",
  ],
  [
    'a timeout of zero',
    (s) => s.createIntervalJob({ ...work, timeout: 0 }),
    InvalidScheduleError,
    'timeout: 0 must be longer than zero.',
  ],
  [
    'a negative timeout',
    (s) => s.createIntervalJob({ ...work, timeout: -1_000 }),
    InvalidScheduleError,
    'timeout: -1000 must be longer than zero.',
  ],
  [
    'a negative delay of a backoff',
    (s) => s.createIntervalJob({ ...work, backoff: { type: 'exponential', delay: -1 } }),
    InvalidScheduleError,
    'backoff.delay: -1 must not be negative.',
  ],
  [
    'a backoff without a number',
    (s) => s.createIntervalJob({ ...work, backoff: NaN }),
    InvalidScheduleError,
    'backoff: NaN is not a finite number.',
  ],
  [
    'a pause after no failure at all',
    (s) => s.createIntervalJob({ ...work, pauseAfterFailures: 0 }),
    InvalidOptionError,
    'pauseAfterFailures: must be a whole number from 1 to 1000000, but is 0.',
  ],
  [
    'a backoff that is a function',
    (s) => s.createIntervalJob({ ...work, backoff: wrong(() => 5) }),
    InvalidOptionError,
    'backoff: must be data, since it is stored with the job, but is a function. Give that to the handler: registerHandler(name, fn, { backoff }).',
  ],
  [
    'a backoff of an unknown type',
    (s) => s.createIntervalJob({ ...work, backoff: wrong({ type: 'expo', delay: 1 }) }),
    InvalidOptionError,
    "backoff.type: must be 'fixed' or 'linear' or 'exponential', but is 'expo'.",
  ],
  [
    'a backoff with an unknown key',
    (s) => s.createIntervalJob({ ...work, backoff: wrong({ type: 'fixed', delay: 1, max: 2 }) }),
    InvalidOptionError,
    "max: a backoff of the type 'fixed' has no such option.",
  ],
  [
    'a backoff without delays',
    (s) => s.createIntervalJob({ ...work, backoff: [] }),
    InvalidOptionError,
    'backoff: must have 1 to 100 delays, but has 0.',
  ],
  [
    'a negative backoff',
    (s) => s.createIntervalJob({ ...work, backoff: ['1s', -1] }),
    InvalidScheduleError,
    'backoff[1]: -1 must not be negative.',
  ],
  [
    'keep for what recurs',
    (s) => s.createJob({ handler: 'work', trigger: { type: 'interval', every: '1h' }, keep: '1d' }),
    InvalidOptionError,
    'keep: is for one-offs; what recurs stays until it is deleted.',
  ],
  [
    'a queue without a name',
    (s) => s.createIntervalJob({ ...work, queue: '' }),
    InvalidOptionError,
    "queue: must be a non-empty text, but is ''.",
  ],
  [
    'a queue of two lines',
    (s) => s.createIntervalJob({ ...work, queue: 'a\nb' }),
    InvalidOptionError,
    'queue: must not hold control characters, line breaks or halves of surrogate pairs.',
  ],
  [
    'a filter with another spelling',
    (s) => s.queryJobs(wrong({ status: 'failed' })),
    InvalidOptionError,
    'status: a query of jobs has no such option. Did you mean "state"?',
  ],
  [
    'an outcome that does not exist',
    (s) => s.getAttempts({ outcome: wrong('success') }),
    InvalidOptionError,
    "outcome: must be 'succeeded' or 'failed'",
  ],
  [
    'a question of attempts that is neither',
    (s) => s.getAttempts({ finalOnly: wrong('yes') }),
    InvalidOptionError,
    "finalOnly: must be true or false, but is 'yes'.",
  ],
  ['a job of gaps without an id', (s) => s.getGaps({ jobId: '' }), EmptyJobIdError, 'The job id is empty.'],
  [
    'a time that can only be seconds',
    (s) => s.getRuns({ finishedAfter: 1_767_225_600 }),
    InvalidScheduleError,
    'finishedAfter: 1767225600 can only be seconds; a number is epoch milliseconds.',
  ],
  [
    'a state that does not exist',
    (s) => s.queryJobs({ state: wrong('sheduled') }),
    InvalidOptionError,
    "state: must be 'pending' or 'scheduled'",
  ],
  [
    'a page of nothing',
    (s) => s.queryJobs({ limit: 0 }),
    InvalidOptionError,
    'limit: must be a whole number from 1 to 1000, but is 0.',
  ],
  [
    'a path into the prototype',
    (s) => s.queryJobs({ 'metadata.__proto__.x': 1 }),
    InvalidOptionError,
    'metadata.__proto__.x: is not a path. Write it like metadata.tenant_id.',
  ],
  [
    'conditions that contradict each other',
    (s) => s.queryJobs({ metadata: { a: 1 }, 'metadata.a.b': 2 }),
    InvalidOptionError,
    'metadata.a.b: contradicts another condition on the metadata.',
  ],
  [
    'a filter of runs that does not exist',
    (s) => s.getRuns(wrong({ jobid: 'a' })),
    InvalidOptionError,
    'jobid: a query of runs has no such option. Did you mean "jobId"?',
  ],
  [
    'a reason that is no text',
    (s) => s.pauseJob('a', { reason: wrong(5) }),
    InvalidOptionError,
    'reason: must be a non-empty text, but is 5.',
  ],
  [
    'a change of the id',
    (s) => s.updateJob('a', wrong({ id: 'b' })),
    InvalidOptionError,
    'id: updateJob() has no such option.',
  ],
];

describe('input that is wrong is refused before anything is stored:', () => {
  let app: NestApp;
  beforeAll(async () => {
    app = await NestApp.boot();
    app.scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());

  test.each(refusals)('%s', async (_, call, type, message) => {
    const refused = call(app.scheduler);
    await expect(refused).rejects.toThrow(type);
    await expect(refused).rejects.toThrow(message);
    expect(await app.scheduler.countJobs()).toBe(0);
  });

  test('a handler that is nil, that is named twice, or has no name', () => {
    const { scheduler } = app;
    expect(() => scheduler.registerHandler('x', null as never)).toThrow(
      new InvalidHandlerError('x', null).message,
    );
    expect(() => scheduler.registerHandler('x', undefined as never)).toThrow(
      'The handler "x" must be a function, but is undefined.',
    );
    expect(() => scheduler.registerHandler('work', () => undefined)).toThrow(DuplicateHandlerError);
    expect(() => scheduler.registerHandler('', () => undefined)).toThrow(
      'handler: the name of a handler must be a non-empty string.',
    );
  });
});
