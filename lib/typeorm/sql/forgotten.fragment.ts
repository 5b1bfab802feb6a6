import { ms, now } from './time.fragment.js';

/**
 * The answer of a statement that forgets, after a CTE `old (key, …)` and one `gone`: how many went. `really`: a parameter; where it is false, nothing goes, and the answer
 * names the first that would.
 */
export function forgotten(really: string, also = ''): string {
  return `
select count(*)::int as count, ${also}case when not ${really}::boolean then (select key::text from old limit 1) end as first, ${ms(now)} as now from gone`;
}
