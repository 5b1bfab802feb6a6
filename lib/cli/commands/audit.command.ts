import type { AuditAction, AuditEntry } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { list, text } from '../cli.option.js';
import { instant, jobName, scopeText } from '../cli.words.js';
import { given, moreNote, oneOrMany, pageOptions } from '../shared.options.js';
import type { Column } from '../text.table.js';

const columns: Column<AuditEntry>[] = [
  { title: 'AT', of: ({ at }) => instant(at) },
  { title: 'BY', of: ({ actor }) => actor },
  { title: 'ACTION', of: ({ action }) => action },
  { title: 'OF', of: subjectOf },
  { title: 'COUNT', of: ({ count }) => String(count), right: true },
  { title: 'NOTE', of: ({ note }) => note ?? '' },
];

const audit = command({
  name: 'audit',
  summary: 'who has asked for what, the newest first',
  options: {
    since: text('--since <time>', 'from then on'),
    until: text('--until <time>', 'before then'),
    by: text('--by <name>', 'of this one'),
    action: list('--action <actions>', 'such as runNow or retryRun'),
    namespace: text('--namespace <name>', 'of this namespace', { default: 'all' }),
    job: text('--job <id>', 'about this job'),
    run: text('--run <id>', 'about this run'),
    ...pageOptions,
  },
  examples: ['chronis audit --since 2026-11-30T08:00Z --action runNow,retryRun'],
  run: async ({ values: { since, until, by, action, namespace, job, run, limit, cursor }, out, open }) => {
    const { scheduler } = await open();
    const page = await scheduler.getAudit(
      given({
        ...{ from: since, until, actor: by, namespace, jobId: job, runId: run, limit, cursor },
        action: oneOrMany(action) as AuditAction | AuditAction[] | undefined,
      }),
    );
    out.print({ audit: page.items, cursor: page.cursor }, (paper) =>
      paper.table(columns, page.items, 'Nothing is on record.'),
    );
    const more = moreNote(page.cursor);
    if (more !== null) out.note(more);
  },
});

function subjectOf({ scope, namespace, jobId, runId }: AuditEntry): string {
  if (scope !== null) return scopeText(scope);
  const job = jobId === null ? (namespace ?? '') : jobName({ id: jobId, namespace: namespace ?? 'default' });
  return runId === null ? job : `${job} run ${runId}`.trim();
}

export const auditCommands: CliCommand[] = [audit];
