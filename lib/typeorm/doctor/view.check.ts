import { viewStatements } from '../sql/views.sql.js';
import { allTables, type TableNames } from '../sql/table.names.js';
import { sqlStateOf } from '../sql.errors.js';
import { bySql, type Check, type Ground } from './check.js';
import { asideOf, readTaken, type Taken } from './detached.check.js';
import type { Finding } from './diagnosis.js';
import type { DoctorSession } from './doctor.session.js';

/** Whether the views for people are there, and as they were made. Chronis itself reads none. Only to be asked of the version of this release. */
export const viewChecks: readonly Check[] = [
  {
    name: 'views',
    look: async (ground: Ground) => {
      const { session, t } = ground;
      const there = await viewsThere(session, t);
      const gone = ownViews(t).filter(({ name }) => !there.has(name));
      const taken = await readTaken(
        ground,
        gone.map(({ name }) => name),
      );
      return gone.map((view) =>
        missing(
          view,
          taken.find(({ name }) => name === view.name),
        ),
      );
    },
  },
  {
    name: 'view definitions',
    look: async ({ session, t }: Ground) => {
      // It makes plans of views and of statements differ, and has a finding of its own.
      if (await hasRowSecurity(session, t)) return [];
      const there = await viewsThere(session, t);
      const findings: Finding[] = [];
      for (const view of ownViews(t)) {
        const columns = there.get(view.name);
        if (columns !== undefined && !(await isAsMade(session, view, columns))) findings.push(changed(view));
      }
      return findings;
    },
  },
];

interface View {
  name: string;
  /** With its schema, quoted. */
  place: string;
  query: string;
}

/** By name, with their columns, quoted, in their order. */
async function viewsThere(session: DoctorSession, t: TableNames): Promise<Map<string, string[]>> {
  const found = await session.rows<{ name: string; columns: string[] }>(
    `select c.relname as name, json_agg(quote_ident(a.attname) order by a.attnum) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where n.nspname = $1 and c.relkind = 'v' group by c.relname`,
    [t.schemaText],
  );
  return new Map(found.map(({ name, columns }) => [name, columns]));
}

async function hasRowSecurity(session: DoctorSession, t: TableNames): Promise<boolean> {
  const { secured } = await session.row<{ secured: boolean }>(
    `select exists (
       select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = any ($2::text[]) and c.relrowsecurity
     ) as secured`,
    [t.schemaText, allTables.map((name) => `${t.prefix}${name}`)],
  );
  return secured;
}

function ownViews(t: TableNames): View[] {
  return viewStatements(t, 'create or replace view').map((statement) => {
    const [, place, query] = /^create or replace view (\S+) as\s+(.*)$/s.exec(statement) as unknown as [
      string,
      string,
      string,
    ];
    return {
      name: place.split('.').at(-1)!.replaceAll('"', ''),
      place,
      query: query.replaceAll(/\s+/g, ' '),
    };
  });
}

/** Tables grow meanwhile, by which a plan may become another one. */
const mostTries = 3;

/**
 * The server plans the view and what it was made of alike, whichever version it is; it writes definitions in words of its own. The names say what the order of the columns does not.
 * Throws where plans change while they are compared.
 */
async function isAsMade(session: DoctorSession, { place, query }: View, columns: string[]): Promise<boolean> {
  for (let tries = 0; tries < mostTries; tries++) {
    const before = await planOf(session, `select * from ${place} v`);
    const asMade = await planOf(session, `select * from (${query}) v`);
    const byName = await planOf(session, `select ${columns.join(', ')} from (${query}) v`);
    if (before === (await planOf(session, `select * from ${place} v`)))
      return before === asMade && before === byName;
  }
  throw new Error(`the plans of ${place} change while they are compared`);
}

/** Null: it names a column that is not there. */
async function planOf(session: DoctorSession, query: string): Promise<string | null> {
  try {
    const lines = await session.rows<{ 'QUERY PLAN': string }>(`explain (verbose, costs off) ${query}`);
    // It is of the text, not of what it means.
    return lines
      .map((line) => line['QUERY PLAN'])
      .filter((line) => !line.startsWith('Query Identifier:'))
      .join('\n');
  } catch (error) {
    if (sqlStateOf(error) === undefinedColumn) return null;
    throw error;
  }
}

const undefinedColumn = '42703';

function missing({ place, query }: View, taken: Taken | undefined): Finding {
  const isGone =
    taken === undefined ? 'is gone' : `is gone, and the ${taken.kind} of that name is none of Chronis`;
  const aside = taken === undefined ? '' : `${asideOf(taken, place)} `;
  return {
    code: 'doctor.missing-view',
    severity: 'warning',
    sentence: `The view ${place} ${isGone}: Chronis does without it, but what people and dashboards ask of it fails.`,
    evidence: { view: place },
    repair: bySql(`${aside}create view ${place} as ${query};`),
  };
}

function changed({ place, query }: View): Finding {
  return {
    code: 'doctor.view-drift',
    severity: 'warning',
    sentence: `The view ${place} is another one than Chronis has made: what people and dashboards read there may not be what is so.`,
    evidence: { view: place },
    repair: bySql(`drop view ${place}; create view ${place} as ${query};`),
  };
}
