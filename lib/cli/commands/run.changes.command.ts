import type { FailedRunFilter, Run } from '../../index.js';
import { change } from '../change.command.js';
import type { CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { flag, json, text } from '../cli.option.js';
import { count, instant } from '../cli.words.js';
import { failedRun } from '../failed.run.js';
import { runConditions, runFilterOptions, type GivenRunFilter } from '../run.filter.js';
import { dryRunOption, given } from '../shared.options.js';

const someRuns = { '[runs...]': 'ids of runs; or --all, with conditions' };
const allOption = flag('--all', 'all that gave up and meet the conditions');

type GivenRuns = GivenRunFilter & { all: boolean; spread?: string | undefined };

/** Whether these are meant, by their ids. Throws UsageError where conditions stand beside them. */
function areNamed(args: readonly string[], conditions: GivenRuns): boolean {
  if (args.length === 0) return false;
  const { all, ...others } = conditions;
  if (!all && Object.values(others).every((each) => each === undefined)) return true;
  throw new UsageError('Give ids, or --all with conditions, and not both.');
}

/** Throws UsageError where it is not said which. */
function filterOf({ all, ...values }: GivenRunFilter & { all: boolean }): FailedRunFilter {
  if (all) return runConditions(values) as FailedRunFilter;
  throw new UsageError('Say which runs: by their ids, or by --all with conditions such as --job.');
}

const retryRuns = change({
  name: 'runs retry',
  summary: 'new runs for those that gave up',
  arguments: someRuns,
  options: {
    ...runFilterOptions,
    all: allOption,
    dryRun: dryRunOption,
    spread: text('--spread <duration>', 'evenly over so long, in place of all now; with --all'),
  },
  run: async ({ args, values: { dryRun, ...values }, out, open, signal }) => {
    if (areNamed(args, values)) {
      const { scheduler } = await open();
      const found: string[] = [];
      const runs: Run[] = [];
      for (const id of args) {
        if (signal.aborted) break;
        if (dryRun) await failedRun(scheduler, id);
        else runs.push(await scheduler.retryRun(id));
        found.push(id);
        out.progress(`${id}\t${dryRun ? 'would be retried' : `retried as ${runs.at(-1)!.id}`}`);
      }
      if (out.isJson) out.print({ found: found.length, changed: runs.length, runs }, () => undefined);
      return;
    }
    const { spread, ...conditions } = values;
    const filter = filterOf(conditions);
    const { scheduler } = await open();
    const result = await scheduler.retryFailed(filter, { dryRun, ...given({ spread }) });
    out.print(result, (paper) =>
      paper.line(
        dryRun
          ? `${count(result.found, 'run')} would be retried.`
          : `${count(result.changed, 'run')} retried.`,
      ),
    );
  },
});

const discardRuns = change({
  name: 'runs discard',
  summary: 'removes runs that gave up; their record stays',
  arguments: someRuns,
  options: { ...runFilterOptions, all: allOption, dryRun: dryRunOption },
  run: async ({ args, values: { dryRun, ...values }, out, open, confirm, signal }) => {
    if (areNamed(args, values)) {
      if (!dryRun) await confirm(`Discard ${count(args.length, 'run')}?`);
      const { scheduler } = await open();
      const found: string[] = [];
      for (const id of args) {
        if (signal.aborted) break;
        if (dryRun) await failedRun(scheduler, id);
        else await scheduler.discardRun(id);
        found.push(id);
        out.progress(`${id}\t${dryRun ? 'would be discarded' : 'discarded'}`);
      }
      const changed = dryRun ? 0 : found.length;
      if (out.isJson) out.print({ found: found.length, changed }, () => undefined);
      return;
    }
    const conditions = filterOf(values);
    const { scheduler } = await open();
    const { found } = await scheduler.discardFailed(conditions, { dryRun: true });
    if (!dryRun) await confirm(`Discard ${count(found, 'run')}?`);
    const result = dryRun ? { found, changed: 0 } : await scheduler.discardFailed(conditions);
    out.print(result, (paper) =>
      paper.line(
        dryRun ? `${count(found, 'run')} would be discarded.` : `${count(result.changed, 'run')} discarded.`,
      ),
    );
  },
});

const cancelRuns = change({
  name: 'runs cancel',
  summary: 'ends runs: those that wait at once, those that go on by their signal',
  arguments: { '<runs...>': 'ids of runs' },
  options: {},
  run: async ({ args, out, open, confirm, signal }) => {
    await confirm(`Cancel ${args.length === 1 ? `the run ${args[0]}` : count(args.length, 'run')}?`);
    const { scheduler } = await open();
    const runs = [];
    for (const id of args) {
      if (signal.aborted) break;
      const answer = await scheduler.cancelRun(id);
      runs.push({ id, answer });
      out.progress(`${id}\t${answer === 'requested' ? 'asked to end' : 'cancelled'}`);
    }
    if (out.isJson) out.print({ runs }, () => undefined);
  },
});

const completeRun = change({
  name: 'runs complete',
  summary: 'gives an open run the verdict succeeded',
  arguments: { '<run>': 'its id' },
  options: { result: json('--result <json>', 'what its handler would have returned') },
  run: async ({ args: [id], values: { result }, out, open }) => {
    const { scheduler } = await open();
    await scheduler.complete(id!, result);
    out.print({ runId: id, verdict: 'succeeded' }, (paper) => paper.line(`${id}\tsucceeded`));
  },
});

const failRun = change({
  name: 'runs fail',
  summary: 'has an open run fail, with the retries of its job',
  arguments: { '<run>': 'its id' },
  options: { error: text('--error <text>', 'why', { default: 'Failed by hand.' }) },
  run: async ({ args: [id], values: { error = 'Failed by hand.' }, out, open }) => {
    const { scheduler } = await open();
    const { retryAt } = await scheduler.fail(id!, new Error(error));
    out.print({ runId: id, retryAt }, (paper) =>
      paper.line(`${id}\t${retryAt === null ? 'failed' : `is tried again at ${instant(retryAt)}`}`),
    );
  },
});

export const runChangeCommands: CliCommand[] = [retryRuns, cancelRuns, completeRun, failRun, discardRuns];
