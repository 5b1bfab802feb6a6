import type { Attempt, ListedRun, Run } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { FailedError } from '../cli.errors.js';
import { flag } from '../cli.option.js';
import { colourOf, firstLine, instant, jobName, moreLines } from '../cli.words.js';
import type { Output } from '../output.js';
import { runConditions, runFilterOptions } from '../run.filter.js';
import { given, moreNote, pageOptions } from '../shared.options.js';
import type { Column } from '../text.table.js';

const gaveUp = ['failed', 'timed_out', 'lost'];

const listRuns = command({
  name: 'runs list',
  summary: 'runs that are stored: those that wait or go on, and the dead letters; the newest first',
  isDefault: true,
  options: {
    ...runFilterOptions,
    failed: flag('--failed', 'those that gave up: failed, timed_out, lost'),
    ...pageOptions,
  },
  run: async ({ values, out, open }) => {
    const { failed, limit, cursor, ...filter } = values;
    const state = filter.state ?? (failed ? gaveUp : undefined);
    const { scheduler } = await open();
    const page = await scheduler.getRuns({
      ...runConditions({ ...filter, state }),
      ...given({ limit, cursor }),
    });
    const columns: Column<Run>[] = [
      { title: 'RUN', of: ({ id }) => id },
      { title: 'JOB', of: ({ jobId, namespace }) => jobName({ id: jobId, namespace }) },
      { title: 'STATE', of: (run) => run.state, paint: (cell, run) => out.paint(cell, colourOf(run.state)) },
      { title: 'NOMINAL', of: ({ nominalAt }) => instant(nominalAt) },
      { title: 'DUE', of: ({ dueAt }) => instant(dueAt) },
      { title: 'ATTEMPT', of: ({ attempt }) => String(attempt), right: true },
      { title: 'ERROR', of: ({ lastError }) => firstLine(lastError) },
    ];
    out.print({ runs: page.items, cursor: page.cursor }, (paper) =>
      paper.table(columns, page.items, 'There are no such runs.'),
    );
    const more = moreNote(page.cursor);
    if (more !== null) out.note(more);
  },
});

const showRun = command({
  name: 'runs show',
  summary:
    'a run, with its attempts, durable steps, and who has asked for it; also one that is over, by its record',
  arguments: { '<run>': 'its id' },
  options: {},
  run: async ({ args: [id], out, open }) => {
    const { scheduler } = await open();
    const runId = id!;
    const [run = null] = (await scheduler.getRuns({ runId })).items;
    const attempts = (await scheduler.getAttempts({ runId })).items;
    if (run === null && attempts.length === 0)
      throw new FailedError(`There is no run "${runId}", nor a record of it.`);
    const steps = await scheduler.getRunSteps(runId);
    const audit = (await scheduler.getAudit({ runId })).items;
    const { jobId, namespace, handler, queue, origin, nominalAt } = run ?? attempts[0]!;
    out.print({ run, attempts, steps, audit }, (paper) => {
      paper.fields({
        run: runId,
        job: jobName({ id: jobId, namespace }),
        state: run?.state ?? attempts.find(({ final }) => final)?.outcome ?? null,
        ...{ handler, queue, origin },
        nominal: instant(nominalAt),
        due: instant(run?.dueAt ?? null) || null,
        worker: run?.worker ?? null,
        progress: progressOf(run, out),
        retryOf: run?.retryOf ?? null,
        result: resultOf(attempts, out),
      });
      for (const { at, action, actor, note } of audit.toReversed())
        paper.line(`asked ${instant(at)}: ${action} by ${actor}${note === null ? '' : `, ${note}`}`);
      for (const { attempt, outcome, startedAt, finishedAt, worker, error, fingerprint } of attempts) {
        paper.line();
        paper.fields({
          attempt: String(attempt),
          outcome,
          began: instant(startedAt) || null,
          ended: instant(finishedAt),
          worker,
          fingerprint,
          error: firstLine(error) || null,
        });
        for (const line of moreLines(error)) paper.line(`  ${line}`);
      }
      for (const { name, kind, state, attempt } of steps)
        paper.line(`step ${name}: ${kind}, ${state}, attempt ${attempt}`);
    });
  },
});

/** How far the handler says it is, and which attempt has said so. */
function progressOf(run: ListedRun | null, out: Output): string | null {
  if (run === null || run.progress === null) return null;
  const { fraction, details, attempt, at } = run.progress;
  const percent = Number((fraction * 100).toFixed(1));
  const more = details === null ? '' : ` ${out.json(details)}`;
  return `${percent} %, attempt ${attempt}, ${instant(at)}${more}`;
}

function resultOf(attempts: readonly Attempt[], out: Output): string | null {
  const result = attempts.find(({ final }) => final)?.result ?? null;
  return result === null ? null : out.json(result);
}

export const runCommands: CliCommand[] = [listRuns, showRun];
