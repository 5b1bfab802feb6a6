import { at } from './time.fragment.js';

/** Between documents of JSON in one text: inside of them it can only be escaped. */
export const documentSeparator = '\u001f';

const documents = (parameter: string): string => `string_to_array(${parameter}::text, E'\\x1f')`;

/**
 * A CTE `given` of jobs to be stored, as `jobColumns` gives them; `nth` is their order, `given_at` may be null. Jobs that are created together are much alike, so what
 * several have in common is sent once: $2 namespaces · $3 names · $4 sources · $5 apps · $6 handlers · $7 queues · $8 priorities · $9 time zones · $10 metadata · $11 policies
 * · $12 hashes. Of each job: $13 ids · $14 which of those, counted from 1 · $15 triggers · $16 payloads · $17 times in ms. `more`: what else several have in common, by the name of its column. The joining takes no index and no statistics: any plan of it is linear.
 */
export function givenJobs(more: Readonly<Record<string, string>> = {}): string {
  const names = Object.keys(more).map((name) => `${name}, `);
  const values = Object.values(more).map((value) => `, ${value}`);
  return `
given as (
  select c.*, u.id, u.trigger, u.payload, ${at('u.at_ms')} as given_at, u.nth
  from unnest($13::text[], $14::int[], ${documents('$15')}, ${documents('$16')}, $17::float8[]) with ordinality
      u (id, kind, trigger, payload, at_ms, nth)
    join unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::text[], $10::text[],
        $11::text[], $12::text[]${values.join('')}) with ordinality
      c (namespace, name, source, app, handler, queue, priority, time_zone, metadata, policies, hash, ${names.join('')}kind)
      on c.kind = u.kind
)`;
}

/** The same `given` of one job, as `oneJobColumns` gives it, $2 to $16: without what joins many. */
export const givenJob = `
given as (
  select $2::text as namespace, $3::text as name, $4::text as source, $5::text as app, $6::text as handler, $7::text as queue, $8::int as priority,
    $9::text as time_zone, $10::text as metadata, $11::text as policies, $12::text as hash, $13::text as id, $14::text as trigger, $15::text as payload,
    ${at('$16::float8')} as given_at, 1 as nth
)`;

/** A column: null when all jobs were stored, else [namespace, id] of those that were. `id`: its name in the CTE `created`. */
export function storedKeys(id: string): string {
  return `case when (select count(*) from created) < cardinality($13::text[])
    then (select coalesce(json_agg(json_build_array(namespace, ${id})), '[]') from created) end as stored`;
}
