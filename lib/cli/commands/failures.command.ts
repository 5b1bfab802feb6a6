import type { FailureGroup } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { list, text, whole } from '../cli.option.js';
import { firstLine, instant } from '../cli.words.js';
import { given, oneOrMany } from '../shared.options.js';
import type { Column } from '../text.table.js';

const mostGroups = 1_000;

const columns: Column<FailureGroup>[] = [
  { title: 'FINGERPRINT', of: ({ fingerprint }) => fingerprint },
  { title: 'HANDLER', of: ({ handler }) => handler },
  { title: 'ATTEMPTS', of: ({ attempts }) => String(attempts), right: true },
  { title: 'RUNS', of: ({ runs }) => String(runs), right: true },
  { title: 'GAVE UP', of: ({ gaveUp }) => String(gaveUp), right: true },
  { title: 'FIRST', of: ({ firstAt }) => instant(firstAt) },
  { title: 'LAST', of: ({ lastAt }) => instant(lastAt) },
  { title: 'RUN', of: ({ sample }) => sample.runId },
  { title: 'ERROR', of: ({ sample }) => firstLine(sample.error) },
];

const failures = command({
  name: 'runs failures',
  summary: 'what has failed, by the kind of its error and by handler; what failed last comes first',
  options: {
    from: text('--from <time>', 'attempts that ended from then on', { default: '24 hours before --to' }),
    to: text('--to <time>', 'and before then', { default: 'now' }),
    newSince: text('--new-since <time>', 'only kinds that the ledger has none of before then'),
    namespace: text('--namespace <name>', 'of this namespace', { default: 'all' }),
    handler: list('--handler <names>', 'of these handlers'),
    limit: whole('--limit <count>', 'how many kinds at most', { least: 1, most: mostGroups, absent: 100 }),
  },
  examples: [
    'chronis runs failures --new-since 2026-11-30T08:00Z',
    'chronis runs retry --all --fingerprint 3f1c9a0be2d47586',
  ],
  run: async ({ values: { from, to, newSince, namespace, handler, limit }, out, open }) => {
    const { scheduler } = await open();
    const report = await scheduler.getFailures(
      given({ from, until: to, newSince, namespace, handler: oneOrMany(handler), limit }),
    );
    out.print({ failures: report.items, countedFrom: report.countedFrom }, (paper) =>
      paper.table(columns, report.items, 'Nothing has failed.'),
    );
    if (report.countedFrom !== null)
      out.note(`Only failures from ${instant(report.countedFrom)} on are counted: there are too many.`);
  },
});

export const failureCommands: CliCommand[] = [failures];
