import type { CreateJob, Job } from '../../index.js';
import { change } from '../change.command.js';
import type { CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { choice, flag, json, text, whole } from '../cli.option.js';
import { instant, jobName, schedule } from '../cli.words.js';
import { isStorage } from '../storage.choice.js';
import { given, namespaceOption } from '../shared.options.js';

const mostRetries = 1_000;
const policies = ['raise', 'ignore', 'replace'] as const;

const createJob = change({
  name: 'jobs create',
  makesStorage: true,
  summary: 'a job, for a handler that workers have, or with a task',
  options: {
    id: text('--id <id>', 'names the job', { default: 'a random UUID' }),
    namespace: namespaceOption,
    handler: text('--handler <name>', 'of a handler'),
    payload: json('--payload <json>', 'what the handler gets'),
    task: json('--task <json>', 'in place of both, such as {"type":"cmd","command":"/bin/date"}'),
    cron: text('--cron <expression>', 'by the calendar'),
    every: text('--every <duration>', 'again and again after this time, such as 5m'),
    at: text('--at <time>', 'once, at this time'),
    in: text('--in <duration>', 'once, this long from now; 0 is at once'),
    manual: flag('--manual', 'only when it is run by hand'),
    tz: text('--tz <zone>', 'of its schedule, such as Asia/Seoul', { default: 'UTC' }),
    queue: text('--queue <name>', 'where workers take it from', { default: 'default' }),
    priority: text('--priority <priority>', '0 (first) to 9, or critical, high, normal, low', {
      default: 'normal',
    }),
    maxRetries: whole('--max-retries <count>', 'how often it is tried again', {
      least: 0,
      most: mostRetries,
      absent: undefined,
    }),
    timeout: text('--timeout <duration>', 'how long an attempt may take'),
    app: text('--app <name>', 'whose handler it is', { default: 'default' }),
    onConflict: choice('--on-conflict <policy>', 'where the id is taken', policies, {
      absent: undefined,
      default: 'raise',
    }),
    options: json('--options <json>', 'whatever else a job may say, such as {"overlap":"queue"}'),
    unknownHandler: flag('--allow-unknown-handler', 'though no worker has had the handler yet'),
  },
  examples: [
    'chronis jobs create --id report --handler report.send --cron "0 9 * * MON-FRI" --tz Asia/Seoul',
    `chronis jobs create --task '{"type":"cmd","command":"/bin/date"}' --in 0`,
  ],
  run: async ({ values, globals, out, open, storage }) => {
    const { manual, tz, unknownHandler, options = {}, priority, ...rest } = values;
    if (typeof options !== 'object' || options === null || Array.isArray(options))
      throw new UsageError('--options: must be an object, such as {"overlap":"queue"}.');
    const job = given({
      ...(options as object),
      ...given(rest),
      priority: priority !== undefined && /^\d$/.test(priority) ? Number(priority) : priority,
      in: rest.in === '0' ? 0 : rest.in,
      timeZone: tz,
      trigger: manual ? { type: 'manual' } : undefined,
      allowUnknownHandler: unknownHandler ? true : undefined,
    });
    const create = job as unknown as CreateJob;
    const choice = globals.socket === undefined ? storage() : null;
    if (choice !== null && choice.kind !== 'postgres' && !isStorage(choice.path)) {
      const { rehearsed } = await import('../session.js');
      const { StderrLogger } = await import('../stderr.logger.js');
      await rehearsed(new StderrLogger('ERROR', (line) => out.note(line)), (each) => each.createJob(create));
    }
    const { scheduler } = await open();
    const made = await scheduler.createJob(create);
    out.print({ job: made }, (paper) => paper.line(told(made)));
  },
});

function told(job: Job): string {
  const next = instant(job.nextRunAt);
  return [jobName(job), job.state, schedule(job.trigger), ...(next === '' ? [] : [`next ${next}`])].join(
    '\t',
  );
}

export const jobCreationCommands: CliCommand[] = [createJob];
