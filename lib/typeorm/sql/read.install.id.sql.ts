import type { TableNames } from './table.names.js';

/** Which installation this is; no row, or an error, where it is none. */
export function readInstallIdSql(t: TableNames): string {
  return `select value from ${t.meta} where key = 'install_id'`;
}
