import { signatureOf } from './carried.fragment.js';
import { changesOf } from './changes.fragment.js';
import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 hash of the set · $4 grace in ms
 *
 * Nothing comes out where a sync is needed, also since somebody has deleted a job of the set.
 */
export function syncedSetSql(t: TableNames): string {
  return `
select r.generation, r.outranked, coalesce((
  select json_agg(json_build_object('namespace', j.namespace, 'id', j.id, 'changes', ${changesOf('j')}) order by j.namespace, j.id)
  from ${t.job} j where j.app = $2 and j.changed is not null and j.source = 'code' and ${changesOf('j')} is not null
), '[]') as changed, ${ms(now)} as now from ${t.release} r
where r.app = $2 and r.set_hash = $3 and r.synced_beside = ${signatureOf(t, 'r.app', 'r.generation')} and exists (
  select from ${t.worker} w where w.app = $2 and w.generation = r.generation and w.lease_until > ${after(now, '-$4::float8')}
) and not exists (
  select from unnest(r.declared) d (key)
  where not exists (
    select from ${t.job} j where j.app = $2 and j.source = 'code' and j.namespace || '/' || j.id = d.key
  ) and not exists (
    select from json_array_elements(r.outranked) o (job) where (o.job ->> 'namespace') || '/' || (o.job ->> 'id') = d.key
  )
)`;
}
