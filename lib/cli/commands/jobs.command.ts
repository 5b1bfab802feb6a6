import type { Job } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { flag } from '../cli.option.js';
import { colourOf, firstLine, instant, jobName, pauseText, schedule } from '../cli.words.js';
import { existingJob } from '../existing.job.js';
import { fileOfJob } from '../file.of.job.js';
import { jobConditions, jobFilterOptions } from '../job.filter.js';
import { given, moreNote, namespaceOption, pageOptions } from '../shared.options.js';
import type { Column } from '../text.table.js';

const shownInstants = 5;

const listJobs = command({
  name: 'jobs list',
  summary: 'jobs, by namespace and id, or by what comes next',
  isDefault: true,
  options: {
    ...jobFilterOptions,
    next: flag('--next', 'by their next times; those that have none are left out'),
    ...pageOptions,
  },
  examples: ['chronis jobs list --state failed,paused', 'chronis jobs list --next --limit 20'],
  run: async ({ values, out, open }) => {
    const { scheduler } = await open();
    const { next, limit, cursor } = values;
    const page = await scheduler.queryJobs({
      ...jobConditions(values),
      ...given({ limit, cursor, orderBy: next ? ('nextRunAt' as const) : undefined }),
    });
    const columns: Column<Job>[] = [
      { title: 'ID', of: jobName },
      {
        title: 'STATE',
        of: ({ state }) => state,
        paint: (cell, { state }) => out.paint(cell, colourOf(state)),
      },
      { title: 'NEXT', of: ({ nextRunAt }) => instant(nextRunAt) },
      { title: 'SCHEDULE', of: ({ trigger }) => schedule(trigger) },
      {
        title: 'LAST',
        of: ({ lastVerdict }) => lastVerdict ?? '',
        paint: (cell, { lastVerdict }) => out.paint(cell, colourOf(lastVerdict)),
      },
      { title: 'RUNS', of: ({ runCount }) => String(runCount), right: true },
      { title: 'HANDLER', of: ({ handler }) => handler },
    ];
    out.print({ jobs: page.items, cursor: page.cursor }, (paper) =>
      paper.table(columns, page.items, 'There are no such jobs.'),
    );
    const more = moreNote(page.cursor);
    if (more !== null) out.note(more);
  },
});

const showJob = command({
  name: 'jobs show',
  summary: 'a job with its next times',
  arguments: { '<id>': 'of the job' },
  options: { namespace: namespaceOption },
  run: async ({ args: [id], values, out, open }) => {
    const session = await open();
    const { scheduler } = session;
    const job = await existingJob(scheduler, id!, given({ namespace: values.namespace }));
    const place = { namespace: job.namespace };
    const hasTimes = job.trigger.type === 'cron' || job.trigger.type === 'interval';
    const preview = hasTimes ? await scheduler.previewJob(job.id, { ...place, count: shownInstants }) : null;
    const file = job.source === 'code' ? fileOfJob(job, await session.jobFiles()) : null;
    out.print({ job, preview, file }, (paper) => {
      paper.fields({
        id: job.id,
        namespace: job.namespace,
        name: job.name,
        state: job.state,
        paused: job.paused && pauseText(job.paused),
        schedule: schedule(job.trigger),
        timeZone: job.timeZone,
        next: instant(job.nextRunAt) || null,
        waitsFor: job.waitsFor?.join(', ') ?? null,
        handler: job.handler,
        app: job.app,
        queue: job.queue,
        priority: String(job.priority),
        source: file === null ? job.source : `file ${file}`,
        payload: out.json(job.payload),
        metadata: out.json(job.metadata),
        policies: out.json(job.policies),
        runs: `${job.runCount}, of which ${job.errorCount} failed`,
        lastRun: instant(job.lastRunAt) || null,
        lastVerdict: job.lastVerdict,
        lastError: firstLine(job.lastError) || null,
        changed: job.changed === null ? null : Object.keys(job.changed).join(', '),
        revision: String(job.revision),
      });
      if (preview === null) return;
      paper.line();
      paper.line(`${preview.sentence}:`);
      for (const { wallTime, offset, remarks } of preview.occurrences)
        paper.line(`  ${[`${wallTime} ${offset}`, ...remarks.map(({ text: remark }) => remark)].join('  ')}`);
      for (const { text: remark } of preview.remarks) paper.line(`  ${remark}`);
    });
  },
});

export const jobCommands: CliCommand[] = [listJobs, showJob];
