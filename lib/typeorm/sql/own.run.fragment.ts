import type { TableNames } from './table.names.js';

/** Whether the worker of a row `g (id, fence, worker)` has that run, or has ended it by itself: nobody writes about a run that was taken from him. The ledger is asked only for what is settled already. */
export function isOwn(t: TableNames): string {
  return `(exists (select from ${t.run} r where r.id = g.id and r.fence = g.fence and r.worker = g.worker)
    or exists (select from ${t.attempt} a where a.run_id = g.id and a.fence = g.fence and a.worker = g.worker and a.outcome <> 'lost'))`;
}
