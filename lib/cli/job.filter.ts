import type { JobConditions, JobState, TriggerType } from '../index.js';
import { choice, list, text } from './cli.option.js';
import { given, oneOrMany } from './shared.options.js';

const triggerTypes = ['cron', 'interval', 'at', 'after', 'manual'] as const satisfies TriggerType[];

/** Which jobs: all that is given must fit. */
export const jobFilterOptions = {
  namespace: text('--namespace <name>', 'jobs of this namespace', { default: 'all' }),
  state: list('--state <states>', 'such as running, failed or paused'),
  handler: list('--handler <names>', 'jobs with these handlers'),
  queue: list('--queue <names>', 'jobs in these queues'),
  type: choice('--type <type>', 'jobs with such a trigger', triggerTypes, { absent: undefined }),
  app: text('--app <name>', 'jobs of this app'),
  prefix: text('--prefix <text>', 'jobs whose ids begin with it'),
  dueBefore: text('--due-before <time>', 'jobs whose next time is before it'),
};

export interface GivenJobFilter {
  namespace?: string | undefined;
  state?: string[] | undefined;
  handler?: string[] | undefined;
  queue?: string[] | undefined;
  type?: TriggerType | undefined;
  app?: string | undefined;
  prefix?: string | undefined;
  dueBefore?: string | undefined;
}

/** As the services take them. */
export function jobConditions({
  state,
  handler,
  queue,
  type,
  prefix,
  dueBefore,
  namespace,
  app,
}: GivenJobFilter): JobConditions {
  return given({
    ...{ namespace, app },
    state: oneOrMany(state) as JobState | JobState[] | undefined,
    handler: oneOrMany(handler),
    queue: oneOrMany(queue),
    triggerType: type,
    idPrefix: prefix,
    nextBefore: dueBefore,
  }) as JobConditions;
}
