import { givenJob, givenJobs, storedKeys } from './given.jobs.fragment.js';
import { pausesColumn } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 to $17 see `givenJobs`; a time that is null: now · $18 origin. Of `one`: $2 to $16 see `givenJob` · $17 origin. Of `traced`: $19 the traces of what several have in common
 *
 * `any` ids may be taken. For `new` ones nobody looks, which saves a fifth of the time; one that is taken after all is a unique violation, and nothing is stored. `one` is a single new one. `traced`: any, of which some carry a trace; the others have nothing of it.
 *
 * Returns one row: when, which ones if not all were stored, and what is paused.
 */
export function insertOneOffsSql(t: TableNames, ids: 'any' | 'new' | 'one' | 'traced'): string {
  // Once for the statement, not for each row.
  const instant = '(select now from clock)';
  const isAny = ids === 'any' || ids === 'traced';
  const due = `coalesce(given_at, ${instant})`;
  return `
with clock as materialized (select ${now} as now),
${ids === 'one' ? givenJob : givenJobs(ids === 'traced' ? { trace: '$19::text[]' } : {})},
created as (
  insert into ${t.run} (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at, due_at,
    name, source, app, trigger, time_zone, payload, metadata, policies, definition_hash, revision, created_at, updated_at${ids === 'traced' ? ', trace_parent' : ''})
  select namespace, id, true, ${ids === 'one' ? '$17' : '$18'}, handler, queue, priority, ${due}, ${due},
    name, source, app, trigger::json, time_zone, payload::json, metadata::jsonb, policies::json, hash, 1, ${instant}, ${instant}${ids === 'traced' ? ', trace' : ''}
  from given${ids === 'one' ? '' : ' order by nth'}
  ${isAny ? 'on conflict (namespace, job_id) where keyed do nothing' : ''}
  returning namespace, job_id, due_at
),
${tellDue(t, 'run', 'select min(due_at) from created')}
select ${ms('now')} as created_at, ${isAny ? storedKeys('job_id') : 'null::json as stored'}, ${pausesColumn(t)}, ${toldColumn} from clock`;
}
