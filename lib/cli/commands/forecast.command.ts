import type { Forecast, ForecastBucket, ForecastRemark, HotMinute } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { text } from '../cli.option.js';
import { count, instant } from '../cli.words.js';
import type { Paper } from '../output.js';
import { given } from '../shared.options.js';
import type { Column } from '../text.table.js';

const forecast = command({
  name: 'forecast',
  summary: 'what will be due, by all jobs: runs for each stretch of time, hot minutes, changes of the clocks',
  options: {
    from: text('--from <time>', 'such as 2026-11-30T00:00Z', { default: 'now' }),
    to: text('--to <time>', 'up to then', { default: 'a day after --from' }),
    bucket: text('--bucket <time>', 'how long a stretch is, in whole minutes', {
      default: '1h on a terminal; else 1m up to a day, 1h beyond',
    }),
    namespace: text('--namespace <name>', 'only jobs in this namespace', { default: 'all' }),
  },
  examples: ['chronis forecast', 'chronis forecast --to 2027-01-01T00:00Z --bucket 1d --json'],
  run: async ({ values: { from, to, bucket, namespace }, out, open }) => {
    const { scheduler } = await open();
    // Who looks at a screen has no use for 1,440 lines.
    const length = bucket ?? (out.isJson ? undefined : '1h');
    const found = await scheduler.forecast(given({ from, until: to, bucket: length, namespace }));
    out.print(found, (paper) => show(found, paper));
  },
});

function show(found: Forecast, paper: Paper): void {
  const { from, until, runs, atLeast, jobs, held, buckets, hotMinutes, remarks } = found;
  const stretches: Column<ForecastBucket>[] = [
    { title: 'FROM', of: ({ at }) => instant(at) },
    { title: 'RUNS', of: ({ runs: many }) => String(many), right: true },
  ];
  const hot: Column<HotMinute>[] = [
    { title: 'HOT MINUTE', of: ({ at }) => instant(at) },
    { title: 'RUNS', of: ({ runs: many }) => String(many), right: true },
    { title: 'SUCH AS', of: ({ jobs: some }) => some.join(', ') },
  ];
  const clocks: Column<ForecastRemark>[] = [
    { title: 'CLOCKS', of: ({ at }) => instant(at) },
    { title: 'JOBS', of: ({ jobs: many }) => String(many), right: true },
    { title: 'SUCH AS', of: ({ example }) => example },
    { title: 'REMARK', of: ({ text: remark }) => remark },
  ];
  const many = `${atLeast ? 'at least ' : ''}${count(runs, 'run')} of ${count(jobs, 'job')}`;
  paper.line(
    `${instant(from)} to ${instant(until)}: ${many}${held > 0 ? `; ${held} more ${held === 1 ? 'is' : 'are'} paused or orphaned` : ''}`,
  );
  if (buckets.length === 0) return;
  paper.table(stretches, buckets, '');
  if (hotMinutes.length > 0) paper.table(hot, hotMinutes, '');
  if (remarks.length > 0) paper.table(clocks, remarks, '');
}

export const forecastCommands: CliCommand[] = [forecast];
