import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time
export function queryWorkersSql(t: TableNames): string {
  return `
select id, name, app, generation, host, pid, version, zone_data, to_json(queues) as queues, to_json(handlers) as handlers,
  ${ms('started_at')} as started_at, ${ms('lease_until')} as lease_until, running, retention, slots, clock_offset_ms::numeric, loop_lag_ms::numeric, ${ms(now)} as now
from ${t.worker} order by started_at, id`;
}
