import type { ManyResult } from '../../index.js';
import { change, type ChangeContext } from '../change.command.js';
import type { CliCommand } from '../cli.command.js';
import { FailedError, toldError, UsageError, type ToldError } from '../cli.errors.js';
import { flag, text } from '../cli.option.js';
import { count, firstLine, jobName, moreLines, shellWord } from '../cli.words.js';
import { existingJob } from '../existing.job.js';
import { exitCodes, type ExitCode } from '../exit.codes.js';
import { jobConditions, jobFilterOptions, type GivenJobFilter } from '../job.filter.js';
import {
  dryRunOption,
  given,
  namespaceOption,
  untilOption,
  pausedBy,
  reasonOption,
} from '../shared.options.js';

const changes = {
  pause: { past: 'paused', asks: false },
  resume: { past: 'resumed', asks: false },
  cancel: { past: 'cancelled', asks: true },
  delete: { past: 'deleted', asks: true },
} as const;
type Change = keyof typeof changes;

const resumeOptions = {
  fromNow: flag(
    '--from-now',
    'also those that stand further ahead, as the clock was ahead: they may run instants again',
  ),
};

/** Jobs by their ids, or all that meet conditions. */
function changing(name: Change, summary: string): CliCommand {
  return change({
    name: `jobs ${name}`,
    summary,
    arguments: { '[ids...]': 'of the jobs; or the options that say which' },
    options: {
      ...jobFilterOptions,
      all: flag('--all', 'all jobs of all namespaces'),
      dryRun: dryRunOption,
      ...(name === 'pause' ? { ...reasonOption, ...untilOption } : {}),
      ...(name === 'resume' ? resumeOptions : {}),
    },
    run: async (context) => (context.args.length > 0 ? changeEach(name, context) : changeMany(name, context)),
  });
}

type JobChangeContext = ChangeContext<
  GivenJobFilter & {
    all: boolean;
    dryRun: boolean;
    reason?: string | undefined;
    until?: string | undefined;
    fromNow?: boolean;
  }
>;

async function changeEach(
  name: Change,
  { args, values, actor, out, open, confirm, signal }: JobChangeContext,
): Promise<ExitCode> {
  const { namespace, reason, until, all, dryRun, fromNow, ...filter } = values;
  if (all || Object.values(filter).some((each) => each !== undefined))
    throw new UsageError('Give ids, or conditions, and not both.');
  if (changes[name].asks && !dryRun)
    await confirm(`${capital(name)} ${args.map((id) => `"${id}"`).join(', ')}?`);
  const { scheduler } = await open();
  const place = given({ namespace });
  const done: string[] = [];
  const changeOne = async (id: string): Promise<void> => {
    if (dryRun) await existingJob(scheduler, id, place);
    else if (name === 'pause') await scheduler.pauseJob(id, { ...place, ...pausedBy(actor, reason, until) });
    else if (name === 'resume' && fromNow && (await existingJob(scheduler, id, place)).paused === null)
      throw new FailedError(
        `The job "${id}" is not paused, so that nothing was changed of it: --from-now is for jobs that are. Pause it first: chronis jobs pause ${shellWord(id)}`,
      );
    else if (name === 'resume') await scheduler.resumeJob(id, { ...place, ...given({ fromNow }) });
    else if (name === 'cancel') await scheduler.cancelJob(id, place);
    else await scheduler.deleteJob(id, place);
  };
  const failed: { id: string; error: string }[] = [];
  let first: ToldError | null = null;
  for (const id of args) {
    if (signal.aborted) break;
    try {
      await changeOne(id);
    } catch (error) {
      // One alone fails the command, and so does what would meet all others as well.
      if (args.length === 1 || !isOfJob(error)) throw error;
      const told = toldError(error);
      first ??= told;
      failed.push({ id, error: told.message });
      out.note(`chronis: ${told.message}`);
      continue;
    }
    done.push(id);
    out.progress(`${id}\t${dryRun ? `would be ${changes[name].past}` : changes[name].past}`);
  }
  if (out.isJson)
    out.print(
      { changed: dryRun ? [] : done, matched: done.length, ...(first && { error: first, failed }) },
      () => undefined,
    );
  return failed.length > 0 ? exitCodes.failed : exitCodes.fine;
}

async function changeMany(
  name: Change,
  { values, actor, out, open, confirm }: JobChangeContext,
): Promise<ExitCode> {
  const filter = jobConditions(values);
  const { all, dryRun, reason, until, fromNow } = values;
  if (!all && Object.keys(filter).length === 0)
    throw new UsageError('Say which jobs: by their ids, by conditions such as --handler, or --all.');
  const { scheduler } = await open();
  const changeAll = (isTrial: boolean): Promise<ManyResult> => {
    const options = { all, dryRun: isTrial };
    if (name === 'pause')
      return scheduler.pauseMany(filter, { ...options, ...pausedBy(actor, reason, until) });
    if (name === 'resume') return scheduler.resumeMany(filter, { ...options, ...given({ fromNow }) });
    return name === 'cancel' ? scheduler.cancelMany(filter, options) : scheduler.deleteMany(filter, options);
  };
  const { matched, first } = await changeAll(true);
  if (!dryRun && matched > 0 && changes[name].asks)
    await confirm(`${capital(name)} ${count(matched, 'job')}?`);
  const result = dryRun ? null : await changeAll(false);
  const failed = (result?.failed ?? []).map(({ ref, error }) => ({
    ...ref,
    error: (error as Error).message,
  }));
  const changed = result?.changed ?? 0;
  out.print({ matched: result?.matched ?? matched, changed, failed, first }, (paper) => {
    if (dryRun) {
      paper.line(`${count(matched, 'job')} would be ${changes[name].past}.`);
      for (const ref of first) paper.line(`  ${jobName(ref)}`);
    } else paper.line(`${count(changed, 'job')} of ${result!.matched} ${changes[name].past}.`);
    for (const { error, ...ref } of failed) paper.line(`  ${jobName(ref)}: ${error}`);
  });
  return failed.length > 0 ? exitCodes.failed : exitCodes.fine;
}

const runJob = change({
  name: 'jobs run',
  summary: 'a run of the job now, beside its schedule',
  arguments: { '<id>': 'of the job' },
  options: {
    namespace: namespaceOption,
    wait: flag('--wait', 'until it has its verdict; 1 where it has not succeeded'),
    timeout: text('--timeout <duration>', 'how long to wait for it', { default: 'for ever' }),
  },
  run: async ({ args: [id], values, out, open }) => {
    const { scheduler } = await open();
    const { namespace, wait, timeout } = values;
    const run = await scheduler.runNow(id!, given({ namespace }));
    const outcome = wait ? await scheduler.waitForRun(run.id, given({ timeout })) : null;
    out.print({ run, outcome }, (paper) => {
      if (outcome === null) return paper.line(`${run.id}\t${run.alreadyRunning ? 'runs already' : 'is due'}`);
      paper.line(`${run.id}\t${outcome.verdict}`);
      // Where it was thrown is for those who have the code: runs show has it.
      const lines = [firstLine(outcome.error), ...moreLines(outcome.error)];
      for (const line of lines) if (!/^\s*(at .*|(cause|\d+):\s*)?$/.test(line)) out.note(line);
    });
    return outcome === null || outcome.verdict === 'succeeded' ? exitCodes.fine : exitCodes.failed;
  },
});

function isOfJob(error: unknown): boolean {
  return error instanceof FailedError || toldError(error).code === 'CHRONIS_JOB_NOT_FOUND';
}

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

export const jobChangeCommands: CliCommand[] = [
  changing('pause', 'jobs fire no more, until they are resumed'),
  changing('resume', 'jobs go on, with the first instant from now'),
  runJob,
  changing('cancel', 'ends the runs of jobs'),
  changing('delete', 'removes jobs; their record stays'),
];
