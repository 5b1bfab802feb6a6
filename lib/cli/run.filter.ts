import type { RunConditions, RunState } from '../index.js';
import { list, text } from './cli.option.js';
import { given, oneOrMany } from './shared.options.js';

/** Which runs: all that is given must fit. */
export const runFilterOptions = {
  namespace: text('--namespace <name>', 'runs of this namespace', { default: 'all' }),
  job: text('--job <id>', 'runs of this job'),
  state: list('--state <states>', 'such as waiting, running, open or failed'),
  handler: list('--handler <names>', 'runs of these handlers'),
  queue: list('--queue <names>', 'runs in these queues'),
  fingerprint: list('--fingerprint <texts>', 'runs that last failed so: see chronis runs failures'),
  after: text('--finished-after <time>', 'runs that got their verdict after it'),
  before: text('--finished-before <time>', 'runs that got their verdict before it'),
};

export interface GivenRunFilter {
  namespace?: string | undefined;
  job?: string | undefined;
  state?: string[] | undefined;
  handler?: string[] | undefined;
  queue?: string[] | undefined;
  fingerprint?: string[] | undefined;
  after?: string | undefined;
  before?: string | undefined;
}

/** As the services take them. */
export function runConditions(values: GivenRunFilter): RunConditions {
  const { namespace, job, state, handler, queue, fingerprint, after, before } = values;
  return given({
    namespace,
    jobId: job,
    state: oneOrMany(state) as RunState | RunState[] | undefined,
    handler: oneOrMany(handler),
    queue: oneOrMany(queue),
    fingerprint: oneOrMany(fingerprint),
    finishedAfter: after,
    finishedBefore: before,
  }) as RunConditions;
}
