import { resetting, setFor } from '../where.set.js';
import { byHand, bySql } from './check.js';
import type { Repair } from './diagnosis.js';

/** A setting as the sessions of Chronis have it. */
export interface Setting {
  name: string;
  value: string;
  ms: number | null;
  source: string;
  role: string;
  database: string;
}

/** A query for the `Setting` of each of these names. */
export function settingsSql(names: readonly string[]): string {
  return `
select name, current_setting(name) as value, case when unit = 'ms' then setting::numeric end as ms, source, quote_ident(current_user) as role, quote_ident(current_database()) as database
from pg_settings where name = any (array[${names.map((name) => `'${name}'`).join(', ')}]) order by name`;
}

/** What makes a setting `good`, a value as a statement has it, by who has set it. */
export function repairOf(setting: Setting, good: string): Repair {
  const { name, source } = setting;
  const target = setFor(setting);
  if (target !== null) return bySql(resetting(name, target));
  switch (source) {
    case 'configuration file':
      // Whichever file it is in: this one is read last. To reset it there leaves what stands in postgresql.conf.
      return bySql(`alter system set ${name} = ${good}; select pg_reload_conf();`);
    case 'command line':
      return byHand(`Start the server without ${name} on its command line.`);
    default:
      return byHand(`Take ${name} out of the options of the connection, or of the pooler's.`);
  }
}
