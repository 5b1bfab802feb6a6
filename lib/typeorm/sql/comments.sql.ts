import { flowComments } from './flow.comments.fragment.js';
import type { TableName, TableNames } from './table.names.js';
import { viewComments } from './view.comments.fragment.js';

/** For people who look at the tables: what each is for, and each of its columns. */
export function commentStatements(t: TableNames): string[] {
  const ofTables = Object.keys(allComments).flatMap((table) => commentsOfTable(t, table as TableName));
  const ofViews = Object.entries(viewComments(allComments)).flatMap(([view, { about, columns }]) => [
    `comment on view ${t.qualified(view)} is ${quoted(about)}`,
    ...commentsOf(t.qualified(view), columns),
  ]);
  return [...ofTables, ...ofViews];
}

export function commentsOfTable(t: TableNames, table: TableName): string[] {
  const { about, columns } = allComments[table];
  return [`comment on table ${t[table]} is ${quoted(about)}`, ...commentsOf(t[table], columns)];
}

function commentsOf(relation: string, columns: Record<string, string>): string[] {
  return Object.entries(columns).map(
    ([column, text]) => `comment on column ${relation}.${column} is ${quoted(text)}`,
  );
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The columns of a table, in no order that means anything. */
export function columnsOf(table: keyof typeof comments): string[] {
  return Object.keys(comments[table].columns);
}

export interface Comments {
  about: string;
  columns: Record<string, string>;
}

function ofStatistics(unit: string, kept: string): Comments {
  return {
    about: `What the attempts of each ${unit} (UTC) came to, kept for ${kept}; made from the ledger, and replaced as long as it grows`,
    columns: {
      start_at: `when the ${unit} begins`,
      namespace: 'of the jobs',
      queue: 'where they have run',
      handler: 'what has run',
      verdict: 'how the attempts ended, as outcome in attempt',
      runs: 'runs whose verdict this was',
      attempts: 'all attempts that ended so',
      duration_ms: 'of these in sum, each cut to milliseconds',
      longest_ms: 'of the longest of these',
      lateness:
        'how many runs began how late after their nominal time, each with its first attempt: up to 1, 2.5, 5, 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 15 s, 1, 5, 30 min, and later',
    },
  };
}

const pausedColumns = {
  paused_at: 'when it was paused; null: it is not',
  paused_reason: 'why it was paused',
  paused_by: 'who has paused it',
};

const definitionColumns = {
  name: 'a title for people',
  source: 'who has made it: code (a decorator) or api',
  app: 'whose handler is meant; null: of any app',
  handler: 'the code that it runs',
  queue: 'the queue of its runs',
  priority: '0 first, 9 last',
  trigger: 'when it runs, as JSON',
  time_zone: 'the IANA name of the zone that its schedule is meant in',
  payload: 'what its handler gets',
  metadata: 'what it is found by',
  policies: 'retries, timeout, overlap and so on, as far as they are not the defaults',
  definition_hash: 'tells whether the definition is still what was stored',
};

const ofFlowStep =
  'the step of a workflow that its run is, or was; null: of none, or of releases before schema version 6';

const whatItIs = { namespace: 'ids of jobs are unique in it', job_id: 'the id of the job' };

/** What is in the history beside the columns of the table itself. */
const archived = { archived_at: 'when it was pruned' };

const comments: Record<Exclude<TableName, `${string}_history`>, Comments> = {
  job: {
    about: 'Recurring and manual jobs: their definitions. One-offs are rows of run. To read: jobs_view',
    columns: {
      uid: 'what other tables name it by; ids may change',
      namespace: 'ids are unique in it',
      id: 'the id',
      ...definitionColumns,
      trigger_type: 'cron, interval, at, after or manual',
      generation: 'the release that has stored it; 0: none',
      ...pausedColumns,
      undeclared_since: 'of releases before schema version 3',
      orphaned_at: 'since when no live code declares it; null: some does, or none ever did',
      orphaned_reason: 'undeclared: by no live process; superseded: its method runs under another id',
      previous_ids: 'the ids that it had, the latest last',
      changed: 'what was changed at run time of a declared job, by whom and when',
      open_gap: 'the gap that has begun with its pause',
      fired: 'how many instants have fired, of jobs without cursor',
      fired_until: 'the last instant that was dealt with, of jobs without cursor',
      revision: 'grows with each change',
      created_at: 'when it was stored first',
      updated_at: 'when it was changed last',
    },
  },
  cursor: {
    about: 'Where each recurring job stands. No row while it is paused or orphaned',
    columns: {
      job_uid: 'the job',
      namespace: 'as in job',
      handler: 'as in job',
      queue: 'as in job',
      app: 'as in job',
      next_at: 'the next nominal time; infinity: a fixed delay waits for the end of a run',
      delay_ms: 'of a fixed delay: from the end of a run to the next',
      revision: 'tells whether the schedule is still the one that was read',
      fired: 'how many instants have fired',
      fired_until: 'the last instant that was dealt with: none up to it is born again',
    },
  },
  run: {
    about:
      'What is to be run or is running, one-offs with all they are, and what gave up. To read: runs_view',
    columns: {
      id: 'grows with time; has up to 19 digits, so read it as text',
      ...whatItIs,
      keyed:
        'this row takes the id of the job: a one-off, or the placeholder (origin reserved) of a recurring one',
      job_uid: 'the recurring job; null: a one-off, or it belongs to none any more',
      origin:
        'schedule, at, manual, retry, backfill, callback or workflow (a step); reserved: no run, it only takes an id',
      nominal_at: 'the instant that the schedule names',
      missed: 'how many earlier instants it stands for',
      lost_count: 'how often its worker has died',
      lifted: 'by how much its priority was raised, as it is overdue',
      due_at: 'when it may begin; null: it waits for something else, or has ended',
      held: 'kept from being due by a pause of its job',
      held_due_at: 'what due_at was before it was held or blocked',
      deferred_until: 'put off until then, as no live worker can run it',
      blocked: 'waits for the end of an earlier run of its job',
      blocks: 'a later run of its job waits for its end',
      attempt: 'attempts that have begun',
      fence: 'grows with each claim: only who has the present one can settle it',
      worker: 'whose it is at present; null: nobody has it',
      parked_by: 'a worker that takes long with it: it is out of the index of claims',
      started_at: 'when the present attempt began',
      claimed_handler: 'the handler it was claimed with, where that has changed since',
      claimed_queue: 'the queue it was claimed from, where that has changed since',
      cancel_requested: 'it is to end',
      last_attempt: 'it gets no further attempt',
      opened_fence: 'the claim that has left it open: its verdict comes from outside; null: none has',
      opened_at: 'when the attempt began that has left it open',
      awaiting_fence: 'the claim by which it waits for a signal, or has waited; null: none',
      signalled_fence: 'the claim that was not to sleep any more, as the signal had come; null: none',
      retry_of: 'the run that this one repeats, by hand',
      flow_step: 'the step of a workflow that it is; null: of none',
      flow: 'the workflow that it is, open; null: none',
      dead_of: 'a dead letter of this recurring job',
      verdict: 'how it has ended; null: it has not',
      finished_at: 'when its last attempt ended',
      keep_until: 'it is deleted then',
      last_error: 'of the last attempt that failed',
      last_fingerprint: 'of that, as error_fingerprint in attempt',
      trace_parent: 'the trace in which it was asked for, as W3C traceparent and tracestate; null: none',
      last_trace: 'the trace of its last attempt that did not end it, in the same form; null: none',
      ...definitionColumns,
      ...pausedColumns,
      revision: 'of a one-off: grows with each change',
      created_at: 'of a one-off: when it was stored first',
      updated_at: 'of a one-off: when it was changed last',
      run_count: 'of a one-off: attempts that have ended',
      error_count: 'of a one-off: attempts that failed, timed out or were lost',
      consecutive_failures: 'of a one-off: failures since the last success',
      last_run_at: 'of a one-off: when its last ended attempt began',
      last_verdict: 'of a one-off: of its last run',
    },
  },
  run_signal: {
    about: 'Signals that no wait of their run has taken yet',
    columns: {
      id: 'grows with time',
      run_id: 'the run',
      name: 'what it waits for them by',
      sent_at: 'when it was sent',
      payload: 'what it brings',
      flow_step: ofFlowStep,
    },
  },
  run_step: {
    about:
      'Durable steps: those that have ended are not run again by later attempts. To read: run_steps_view',
    columns: {
      run_id: 'the run, which may be gone by now',
      name: 'unique in the run',
      position: 'which step of its run it was, from 1; null: it ran beside others, or came after such',
      kind: 'step, sleep or signal (a wait for one)',
      attempt: 'the attempt that ran it last',
      started_at: 'when it began, in the attempt that came to it first',
      finished_at: 'when it ended; null: it has not',
      ended: 'the how manieth of the steps of its run it was to end, from 1',
      wait_until:
        'until when it sleeps, waits for its signal, or for its retry; null: for ever, or for nothing',
      signal: 'the signal that it waits for, or has waited for',
      timed_out: 'it has ended without its signal',
      failures: 'how often it has failed since it was tried the first time',
      error: 'what it has thrown last',
      result: 'what it returned, or the payload of the signal',
      flow_step: ofFlowStep,
    },
  },
  definition: {
    about: 'Versions of what jobs are started from, each of which never changes',
    columns: {
      id: 'grows with time; read it as text',
      namespace: 'names are unique in it',
      name: 'what it is started by',
      version: 'from 1; other content is another version',
      kind: 'handler: a job of one; task: a job with one; workflow: a graph of steps',
      app: 'whose handlers it names',
      source: 'who has made it: code (a decorator) or api',
      spec: 'what is to be run, by its kind',
      params_schema: 'JSON Schema of its params; null: anything goes',
      hash: 'of the content: the same content has the same',
      created_at: 'when it was stored',
      created_by: 'by whom',
      deleted_at: 'nothing is started from it since then; null: it lives',
    },
  },
  binary: {
    about: 'Programs that tasks of the type binary bring along. One that nothing uses goes after a day',
    columns: {
      sha256: 'of its bytes; what tasks name it by',
      size: 'how many bytes',
      stored_at: 'when it was stored',
      used_at: 'when it was used, or found to be referred to, about',
      bytes: 'the program',
    },
  },
  ...flowComments,
  job_stat: {
    about: 'Counters of recurring jobs',
    columns: {
      job_uid: 'the job',
      run_count: 'attempts that have ended',
      error_count: 'attempts that failed, timed out or were lost',
      consecutive_failures: 'failed occurrences since the last success; retries by hand are none',
      last_run_at: 'when the last ended attempt began',
      last_verdict: 'how its last run ended',
      last_error: 'of the last attempt that failed; a success leaves it',
    },
  },
  attempt: {
    about: 'The ledger: a row for each attempt, by days of finished_at. One row of a run is final',
    columns: {
      run_id: 'the run; read it as text',
      job_uid: 'the recurring job; null: a one-off',
      ...whatItIs,
      handler: 'what has run',
      queue: 'where it has run',
      origin: 'as in run',
      nominal_at: 'the instant that the schedule names',
      attempt: 'its number, from 1',
      fence: 'that of its claim',
      worker: 'the process that has run it; outside: the verdict of an open run',
      outcome: 'how it ended: succeeded, failed, timed_out, cancelled, lost, snoozed, opened or handed_back',
      final: 'the outcome is the verdict of the run',
      started_at: 'when it began; null: it never did',
      finished_at: 'when it ended',
      error: 'what it threw',
      error_fingerprint: 'the same for failures of one kind; null: it has not failed',
      result: 'what it returned',
      retry_of: 'the run that this one repeats, by hand',
    },
  },
  run_log: {
    about:
      'What runs have logged, as much of it as is kept; a row for all that was written of an attempt at once',
    columns: {
      run_id: 'the run; read it as text',
      fence: 'the claim of the attempt',
      part: 'its number in that claim, from 0',
      attempt: 'which attempt has written it',
      at: 'when the last of the lines was written',
      line_count: 'how many lines',
      bytes: 'how much that is',
      dropped: 'how many lines before these are not kept',
      lines: 'the lines: at (ms), level, message, fields, cut',
    },
  },
  run_progress: {
    about: 'How far runs are, as their handlers have told last; rows go with the run',
    columns: {
      run_id: 'the run; read it as text',
      fence: 'the claim of the attempt',
      attempt: 'which attempt has told it',
      at: 'when it was told',
      fraction: 'from 0 to 1',
      details: 'what there was to say beside; null: nothing',
    },
  },
  stat_minute: ofStatistics('minute', '8 days'),
  stat_hour: ofStatistics('hour', '90 days'),
  stat_day: ofStatistics('day', 'two years'),
  gap: {
    about: 'Due instants that did not run, as ranges',
    columns: {
      id: 'grows with time',
      job_uid: 'the job',
      ...whatItIs,
      from_at: 'the first of the instants',
      until_at: 'the last of them; null: a pause that goes on',
      verdict: 'skipped (overlap), missed, paused or excluded',
      count: 'how many instants',
      reason: 'why',
    },
  },
  pause: {
    about: 'Pauses of a handler, a queue, a namespace or of everything',
    columns: {
      kind: 'handler, queue, namespace or all',
      name: 'of what; empty for all',
      ...pausedColumns,
    },
  },
  bulk_action: {
    about: 'Changes of many that the REST API does, and how far they are',
    columns: {
      id: 'of the change',
      tenant: 'who is confined to it has begun the change; null: nobody is',
      action: 'what is done',
      filter: 'to what, as it was frozen at the beginning',
      expected: 'how many it concerns at most',
      asked: 'a sum of the request',
      actor: 'who has asked for it',
      owner: 'the process that does it',
      lease_until: 'while it is running: interrupted, if that is over',
      abort_requested: 'somebody wants it to end',
      state: 'running, done, aborted, failed or interrupted',
      matched: 'how many were looked at',
      changed: 'how many of these are different now',
      failed: 'what stood in the way of single ones, the first hundred',
      problem: 'why it could not go on',
      created_at: 'when it was begun',
      ended_at: 'when it ended',
    },
  },
  overdue: {
    about: 'What was told as overdue, and is still',
    columns: {
      namespace: 'of the job',
      job_id: 'its id',
      due_at: 'the instant of its schedule that has not begun in time',
      late_after_ms: 'how late it may begin',
    },
  },
  pause_end: {
    about: 'When pauses end by themselves',
    columns: {
      kind: 'job, handler, queue, namespace or all',
      namespace: 'of the job; empty for all others',
      name: 'the id of the job, or what is paused; empty for all',
      paused_at: 'when that was paused; it is over where this is not when it was paused last',
      until_at: 'when it ends; infinity: it does not, and somebody was told that it stands for long',
    },
  },
  audit: {
    about: 'Who has asked for what: what was done within withActor()',
    columns: {
      id: 'grows with time, about',
      at: 'when it was done',
      action: 'what was done, such as runNow or pauseMany',
      actor: 'who has asked for it',
      note: 'why, as they said',
      request_id: 'what the logs of the application call the request by',
      namespace: 'of the job or run, or what a change of many was confined to; null: of none, or of several',
      job_id: 'the job; it may be gone',
      run_id: 'the run that it was about, or that came of it; read it as text',
      scope_kind: 'of what was paused or resumed as a whole: handler, queue, namespace or all',
      scope_name: 'its name; empty for all',
      details:
        'what was changed, before and after, the filter of a change of many and so on; payloads by size and SHA-256 only',
      count: 'how many jobs or runs it was',
      batch: 'of an action in several steps: what these have in common; null: it is one step',
      request_key: 'what the actor calls the request by, which is done once; null: nothing',
      request: 'of that what was asked for (digest), and what it came to (answer)',
    },
  },
  worker: {
    about: 'Processes that work, and those that did lately; one lease each',
    columns: {
      id: 'random at each start',
      name: 'what people call it',
      app: 'whose handlers it has',
      generation: 'the release of its app that it carries',
      host: 'the machine',
      pid: 'the number of the process there',
      version: 'of nestjs-chronis',
      zone_data: 'the version of its time zone data',
      queues: 'what it takes runs from',
      handlers: 'what it can run',
      started_at: 'when it has registered',
      lease_until: 'later than now: it lives',
      lease_ms:
        'how long its lease is from each beat on, in milliseconds; null: of releases before schema version 3',
      reached:
        'what it has claimed may be due until then, as the clock was ahead and has been set back; null: it has not',
      released_at: 'when its runs were taken from it, or it has stopped; null: neither',
      running: 'runs in its hands at its last beat',
      retention: 'how long it wants the record kept',
      slots: 'how many runs it takes at a time; null: of releases before schema version 6',
      clock_offset_ms: 'how far its clock was ahead of the server at its last beat, in milliseconds',
      loop_lag_ms: 'by how much its event loop was late at most before its last beat, in milliseconds',
      given_up: 'places of workflow steps that it executes though they were given up; null: none',
    },
  },
  release: {
    about: 'What the code of each app has declared, one row for each set of declarations',
    columns: {
      generation: 'its number',
      app: 'whose it is',
      set_hash: 'tells one set from another',
      declared: 'the ids',
      first_seen: 'when a process brought it first',
      declarations: 'what is in it',
      place: 'the order in which the sets appeared: the latest that lives is in force',
      synced_beside: 'the sets that lived when it was last synced; null: something is left to do',
      outranked: 'what of it was not in force then',
    },
  },
  lock: {
    about: 'Locks: of users, of the sync and of the janitor',
    columns: {
      key: 'what is locked',
      owner: 'who has it; null: nobody',
      fence: 'grows with each owner',
      expires_at: 'when it is free without being released',
      lease_ms:
        'for how long it is had from each time on that it is taken or extended, in milliseconds; null: by releases before schema version 3',
    },
  },
  meta: {
    about: 'What the tables are: their version, and which installation',
    columns: { key: 'what', value: 'its value' },
  },
};

/** Those of the history as well. */
const allComments: Record<TableName, Comments> = {
  ...comments,
  definition_history: {
    about: 'Versions of definitions that were pruned',
    columns: { ...comments.definition.columns, ...archived },
  },
  flow_history: {
    about: 'Workflows that were pruned. To read: flows_history_view',
    columns: { ...comments.flow.columns, ...archived },
  },
  flow_step_history: {
    about: 'Steps of workflows that were pruned. To read: flow_steps_history_view',
    columns: { ...comments.flow_step.columns, ...archived },
  },
  flow_edge_history: {
    about: 'Which steps of workflows that were pruned came after which',
    columns: { ...comments.flow_edge.columns, ...archived },
  },
};
