import { byHand, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** What somebody has the database do at each change of tables, and what may be refused by that: the ledger gets a table for each day, and loses those that are old. */
export const eventTriggerCheck: Check = {
  name: 'event triggers',
  look: async ({ session }: Ground) =>
    eventTriggerFindings(await session.rows<EventTrigger>(eventTriggersSql)),
};

interface EventTrigger {
  name: string;
  event: string;
  function: string;
  /** It is called when a partition is made. */
  makes: boolean;
  /** It is called when one is dropped. */
  drops: boolean;
  /** Its source raises an error, or cannot be read. */
  refuses: boolean;
}

const raises = String.raw`\mraise\M(?!\s+(debug|log|info|notice|warning)\M)|\massert\M`;

/** Those of extensions are not made to refuse tables of others. */
const eventTriggersSql = `
select * from (
  select quote_ident(e.evtname) as name, e.evtevent as event, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '()' as function,
    e.evtevent <> 'sql_drop' and (e.evttags is null or e.evttags && array['CREATE TABLE', 'ALTER TABLE']) as makes,
    e.evttags is null or 'DROP TABLE' = any (e.evttags) as drops,
    (l.lanname <> 'plpgsql' or p.prosrc ~* '${raises}')
      and not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass and d.objid = e.oid and d.deptype = 'e') as refuses
  from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where e.evtenabled in ('O', 'A') and e.evtevent in ('ddl_command_start', 'ddl_command_end', 'sql_drop')) t
where makes or drops order by name`;

export function eventTriggerFindings(found: readonly EventTrigger[]): Finding[] {
  return found.map(({ name, event, function: called, makes, drops, refuses }) => {
    const effects = [
      ...(makes ? ['cannot be made, so that rows of new days go to the default partition'] : []),
      ...(drops ? ['cannot be dropped, so that old days stay'] : []),
    ];
    const when = refuses ? 'where that refuses it' : 'that does not seem to refuse anything; where it does';
    return {
      code: 'doctor.event-trigger',
      severity: refuses ? 'warning' : 'note',
      sentence: `The event trigger ${name} runs ${called} at ${event}: ${when}, partitions of the ledger ${effects.join(', or ')}.`,
      evidence: { trigger: name, event, function: called },
      repair: byHand(
        refuses
          ? `Have ${called} let through what concerns the tables of Chronis, or switch it off: alter event trigger ${name} disable;`
          : `Nothing has to be done while the ledger has its days. Where it lacks one, look at ${called}.`,
      ),
    };
  });
}
