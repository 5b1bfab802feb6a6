import { InvalidOptionError } from '../model/errors.js';
import type { CronOptions } from '../model/job.options.js';
import type { WorkflowClassOptions } from '../model/workflow.options.js';
import type { HandlerDefaults } from '../scheduler/handler.reference.js';
import { jobOptionKeys } from '../scheduler/job.definition.js';
import { queueName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { priorityOf } from '../scheduler/policy.options.js';
import { timingKeys } from '../scheduler/trigger.options.js';
import { refuseRetries } from '../scheduler/workflow.job.retries.js';
import { isEnabled, readSchedule, type ScheduleDeclaration } from './declaration.reader.js';
import { addJob, type Findings, type Origin } from './findings.js';
import type { ExplorerParts } from './job.explorer.js';

/** What a workflow may say without `cron`: of its runs, however they are started. */
const commonKeys = ['params', 'timeout', 'queue', 'priority', 'instance'] as const;
/** What its runs are tried again by: each of its steps has its own. */
const ofSteps = ['maxRetries', 'backoff', 'recovery', 'maxLost', 'retryIf'] as const;
const jobKeys = [
  ...jobOptionKeys.filter((key) => key !== 'id' && !(ofSteps as readonly string[]).includes(key)),
  ...timingKeys.cron,
  'previousIds',
  'disabled',
];
const hints = {
  ...Object.fromEntries(ofSteps.map((key) => [key, 'It belongs to the steps: give it to @Step.'])),
  id: 'The name of the workflow is the id of its job.',
};

/** What runs get that are started by the name. Throws InvalidOptionError. */
export function workflowDefaults(options: WorkflowClassOptions): HandlerDefaults {
  knownOptions(options, ['cron', ...commonKeys, ...jobKeys], '@Workflow', hints);
  const { cron, queue, priority, timeout } = options;
  if (cron === undefined) {
    const stray = Object.keys(options).find((key) => !(commonKeys as readonly string[]).includes(key));
    if (stray !== undefined) {
      throw new InvalidOptionError(
        stray,
        'is for a workflow with "cron". Give that as well, or give this to start().',
      );
    }
  }
  return {
    ...(queue === undefined ? {} : { queue: queueName(queue) }),
    ...(priority === undefined ? {} : { priority: priorityOf(priority) }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

/** Adds the job of the workflow's `cron`, which is declared as any `@Cron` is. */
export function declareCron(
  { name, options, origin }: { name: string; options: WorkflowClassOptions; origin: Origin },
  { configuration, defaults }: Pick<ExplorerParts, 'configuration' | 'defaults'>,
  now: number,
  found: Findings,
): void {
  const { cron, params: _, instance: __, ...job } = options;
  if (cron === undefined) return;
  const declared = { kind: 'cron' as const, schedule: cron, options: { ...job, id: name } as CronOptions };
  const configured = configuration.configured(declared, name);
  if (!isEnabled(configured)) return;
  const { place } = origin;
  const scheduled = configured as ScheduleDeclaration;
  const declaredJob = readSchedule(scheduled, { defaultId: name, handler: name, place }, defaults, now);
  // The decorator takes none, but the configuration may say what it likes.
  refuseRetries(name, declaredJob.definition.policies);
  addJob(found, { ...declaredJob, ...origin });
}
