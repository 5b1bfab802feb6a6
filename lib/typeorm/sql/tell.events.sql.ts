import { now } from './time.fragment.js';

// $1 time · $2 channel · $3 messages, told in this order. The time is no part of it.
export function tellEventsSql(): string {
  return `
select count(pg_notify($2, m.message)) from (
  select message from unnest($3::text[]) with ordinality u (message, nth) where ${now} is not null order by nth
) m`;
}
