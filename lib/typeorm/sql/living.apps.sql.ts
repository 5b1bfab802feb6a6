import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 apps. Those of them that have a live worker. */
export function livingAppsSql(t: TableNames): string {
  return `select u.app, ${ms(now)} as now from unnest($2::text[]) u (app) where ${isLiving(t, 'u.app')}`;
}

/** Whether an app has a live worker. */
export function isLiving(t: TableNames, app: string): string {
  return `exists (select from ${t.worker} w where w.app = ${app} and w.lease_until > ${now} and w.released_at is null)`;
}
