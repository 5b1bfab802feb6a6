import type {
  HotMinute,
  PlannedChangedJob,
  PlannedGoneJob,
  PlannedNewJob,
  PlannedSchedule,
} from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import type { BootProgress } from '../boot.progress.js';
import { toldError, UsageError } from '../cli.errors.js';
import { text } from '../cli.option.js';
import { instant, jobName } from '../cli.words.js';
import { exitCodes } from '../exit.codes.js';
import type { Paper } from '../output.js';
import type { PlannedApp, PlannedInstance } from '../planned.app.js';
import { watched } from '../boot.watch.js';

const usualLimit = '60s';
const longestLimitMs = 24 * 60 * 60 * 1_000;

const plan = command({
  name: 'plan',
  summary: 'what a deploy of an application would change, before it is deployed: 2 where it would',
  isOfOthers: true,
  options: {
    app: text('--app <file>', 'the compiled root module of the application: dist/app.module.js'),
    export: text('--export <name>', 'the name of its class', { default: 'AppModule' }),
    bootTimeout: text('--boot-timeout <duration>', 'how long its boot may take', { default: usualLimit }),
  },
  examples: ['chronis plan --app dist/app.module.js'],
  run: async ({ values, globals, out, signal }) => {
    const { app, export: name = 'AppModule', bootTimeout: limit = usualLimit } = values;
    if (app === undefined)
      throw new UsageError('--app is missing: the compiled root module, such as dist/app.module.js.');
    const { parseDuration } = await import('../../index.js');
    const { exportedModule, planOf } = await import('../planned.app.js');
    const { StderrLogger } = await import('../stderr.logger.js');
    const limitMs = parseDuration(limit, '--boot-timeout');
    if (limitMs > longestLimitMs) throw new UsageError('--boot-timeout: may be 1d at most.');
    const logger = new StderrLogger(globals.logLevel ?? 'WARNING', (line) => out.note(line));
    let progress: BootProgress | null = null;
    const plan = async (): Promise<PlannedApp> =>
      planOf(await exportedModule(app, name), logger, (found) => (progress = found));
    const found = await planned(() =>
      watched(plan, {
        limit,
        limitMs,
        signal,
        waitsFor: () => progress?.waitsFor() ?? [],
        ended: (error, stack) => {
          if (stack !== null) out.note(stack);
          out.error(toldError(error));
        },
      }),
    );
    out.print(found, (paper) => {
      const all = [found, ...found.instances];
      for (const each of all) show(each, all.length > 1 || each.instance !== 'default', paper);
    });
    return [found, ...found.instances].every(isNothing) ? exitCodes.fine : exitCodes.found;
  },
});

/** The application can tell by a variable that it is planned. */
async function planned(plan: () => Promise<PlannedApp>): Promise<PlannedApp> {
  const before = process.env.CHRONIS_PLAN;
  process.env.CHRONIS_PLAN = '1';
  try {
    return await plan();
  } finally {
    if (before === undefined) delete process.env.CHRONIS_PLAN;
    else process.env.CHRONIS_PLAN = before;
  }
}

function isNothing({ isEmpty, lacks, booted, warnings }: PlannedInstance): boolean {
  return isEmpty && lacks.length + booted.length + warnings.length === 0;
}

function show(found: PlannedInstance, isNamed: boolean, paper: Paper): void {
  const { created, changed, gone, taken, unchanged, workflows, booted, lacks, hotMinutes, warnings } = found;
  const counts = `${created.length} new, ${changed.length} changed, ${gone.length} gone, ${unchanged} unchanged`;
  const where = isNamed ? ` (instance "${found.instance}")` : '';
  paper.line(`Jobs of the app "${found.app}"${where}: ${counts}.`);
  for (const job of created) showNew(job, paper);
  for (const job of changed) showChanged(job, paper);
  for (const job of gone) showGone(job, paper);
  for (const { namespace, id, place } of taken) {
    paper.line(
      `! ${jobName({ namespace, id })} (${place}): the id belongs to a job of somebody else, so that a start is refused.`,
    );
  }
  for (const { action, ...job } of booted)
    paper.line(`* ${jobName(job)} is ${action} by a hook of the application.`);
  for (const one of workflows.created) paper.line(`+ workflow ${one}`);
  for (const one of workflows.changed)
    paper.line(`~ workflow ${one.name}: runs that begin later are of a version after ${one.fromVersion}`);
  for (const one of workflows.gone) paper.line(`- workflow ${one.name} (version ${one.version})`);
  for (const sentence of [...lacks, ...warnings]) paper.line(`! ${sentence}`);
  if (found.isEmpty) return;
  for (const [when, minutes] of Object.entries(hotMinutes)) {
    if (minutes.length > 0) paper.line(`Hot minutes ${when}: ${minutes.map(minuteText).join(', ')}`);
  }
}

function showNew(job: PlannedNewJob, paper: Paper): void {
  paper.line(`+ ${jobName(job)} (${job.place})`);
  paper.line(`    ${scheduleText(job.after)}`);
  showRemarks(job, paper);
}

function showChanged(job: PlannedChangedJob, paper: Paper): void {
  const what = job.fields.length > 0 ? `: ${job.fields.join(', ')}` : '';
  const words = {
    changed: `is changed${what}`,
    renamed: `is "${job.from}" renamed${what}`,
    adopted: `fires again${what}`,
    superseded: 'does not fire any more, as its method runs under another id',
  };
  paper.line(`~ ${jobName(job)}${job.place === '' ? '' : ` (${job.place})`} ${words[job.kind]}`);
  const [before, after] = [scheduleText(job.before), scheduleText(job.after)];
  paper.line(before === after ? `    ${after}` : `    before: ${before}`);
  if (before !== after) paper.line(`    after:  ${after}`);
  if (job.changedAtRunTime.length > 0)
    paper.line(`    changed at run time, and stays so: ${job.changedAtRunTime.join(', ')}`);
  if (job.isPaused) paper.line('    paused, and stays so until it is resumed');
  showRemarks(job, paper);
}

function showGone(job: PlannedGoneJob, paper: Paper): void {
  const when = job.isDeclared ? ' once no live worker declares it any more' : '';
  paper.line(`- ${jobName(job)} is ${job.outcome}${when}`);
  paper.line(`    ${scheduleText(job.before)}`);
}

function showRemarks({ remarks }: PlannedNewJob, paper: Paper): void {
  for (const { at, text: remark } of remarks) paper.line(`    clocks: ${instant(at)} ${remark}`);
}

function scheduleText({ schedule, next }: PlannedSchedule): string {
  return `${schedule}; next ${next.length === 0 ? 'none' : next.map(instant).join(', ')}`;
}

function minuteText({ at, runs }: HotMinute): string {
  return `${instant(at)} with ${runs}`;
}

export const planCommands: CliCommand[] = [plan];
