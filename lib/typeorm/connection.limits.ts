import { routineOf, sqlStateOf } from './sql.errors.js';

const tooManyConnections = '53300';

/** Whose limits those are, by the function of the server that refuses: its words are in any language. */
const limits: ReadonlyMap<string, string> = new Map([
  ['InitializeSessionUserId', 'of the role (alter role … connection limit …)'],
  ['CheckMyDatabase', 'of the database (alter database … connection limit …)'],
]);

/** What to do where a limit of connections is reached; null: the error is about something else. */
export function roomForConnections(error: unknown): string | null {
  if (sqlStateOf(error) !== tooManyConnections) return null;
  const whose = limits.get(routineOf(error)) ?? 'of the server (max_connections)';
  return `A process takes up to as many as its poolSize (4 by default) and 3 more, for context.transaction() without a dataSource up to 10 besides: raise the limit ${whose}, lower poolSize, or run fewer processes.`;
}
