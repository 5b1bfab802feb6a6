import type { CliCommand } from './cli.command.js';
import { auditCommands } from './commands/audit.command.js';
import { binaryCommands } from './commands/binaries.command.js';
import { completionCommands } from './commands/completion.command.js';
import { doctorCommands } from './commands/doctor.command.js';
import { failureCommands } from './commands/failures.command.js';
import { forecastCommands } from './commands/forecast.command.js';
import { healthCommands } from './commands/health.command.js';
import { jobChangeCommands } from './commands/job.changes.command.js';
import { jobCreationCommands } from './commands/job.creation.command.js';
import { jobCommands } from './commands/jobs.command.js';
import { migrateCommands } from './commands/migrate.command.js';
import { pauseCommands } from './commands/pauses.command.js';
import { planCommands } from './commands/plan.command.js';
import { previewCommands } from './commands/preview.command.js';
import { pruneCommands } from './commands/prune.command.js';
import { queueCommands } from './commands/queues.command.js';
import { runChangeCommands } from './commands/run.changes.command.js';
import { serviceCommands } from './commands/run.command.js';
import { runLogCommands } from './commands/run.log.command.js';
import { runCommands } from './commands/runs.command.js';
import { statisticsCommands } from './commands/statistics.command.js';
import { versionCommands } from './commands/version.command.js';
import { whyCommands } from './commands/why.command.js';
import { workerCommands } from './commands/workers.command.js';
import { workflowCommands } from './commands/workflows.command.js';

/** All commands, in the order of the help. */
export const commands: readonly CliCommand[] = [
  ...serviceCommands,
  ...jobCommands,
  ...jobCreationCommands,
  ...jobChangeCommands,
  ...runCommands,
  ...runLogCommands,
  ...failureCommands,
  ...runChangeCommands,
  ...auditCommands,
  ...queueCommands,
  ...workerCommands,
  ...workflowCommands,
  ...pauseCommands,
  ...binaryCommands,
  ...whyCommands,
  ...previewCommands,
  ...forecastCommands,
  ...planCommands,
  ...migrateCommands,
  ...pruneCommands,
  ...statisticsCommands,
  ...healthCommands,
  ...doctorCommands,
  ...completionCommands,
  ...versionCommands,
];

/** First words of commands, and what they stand for. */
export const groups: Readonly<Record<string, string>> = {
  jobs: 'jobs: what shall run, and when',
  runs: 'runs: single executions, and the dead letters',
  workflows: 'workflows that were started',
  pauses: 'pauses of a handler, a queue, a namespace, or everything',
  stats: 'statistics by minute, hour and day',
  binaries: 'programs that jobs bring along',
};
