import type { JobDefinition } from '../model/job.js';
import type { NewJob } from '../ports/storage.adapter.js';

/** What many jobs may have in common. */
type Common = Omit<JobDefinition, keyof Own>;
type Own = Pick<NewJob, 'id' | 'trigger' | 'payload' | 'metadata' | 'policies' | 'nextAt' | 'newId'>;

/**
 * A job that is made at run time for a handler of the app, of what it may have in common with others and what is its own. In one place and key by key: what goes through all
 * jobs is faster where they have one form, and spreading takes longer than all the rest.
 */
export function apiJob(common: Common, app: string | null, own: Own): NewJob {
  return {
    namespace: common.namespace,
    id: own.id,
    name: common.name,
    handler: common.handler,
    queue: common.queue,
    priority: common.priority,
    trigger: own.trigger,
    timeZone: common.timeZone,
    payload: own.payload,
    metadata: own.metadata,
    policies: own.policies,
    source: 'api',
    app,
    // No code declares it, so nobody compares it with one.
    definitionHash: '',
    nextAt: own.nextAt,
    newId: own.newId,
  };
}
