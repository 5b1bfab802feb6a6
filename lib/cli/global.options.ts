import { choice, flag, text, type CliValues } from './cli.option.js';

export const logLevels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What every command takes. */
export const globalOptions = {
  storage: text('--storage <where>', 'postgres://…, sqlite:PATH or file:PATH', {
    variable: 'CHRONIS_STORAGE',
    default: 'DATABASE_URL, else PGHOST and the like, else a file in the state folder of the user',
  }),
  schema: text('--schema <name>', 'schema of PostgreSQL with the tables', {
    variable: 'CHRONIS_SCHEMA',
    default: 'chronis',
  }),
  socket: text('--socket <path>', 'of a running service: commands ask it, and run listens there', {
    variable: 'CHRONIS_SOCKET',
    default: 'beside a storage in a file; else none',
  }),
  json: flag('--json', 'one JSON document, for machines', { variable: 'CHRONIS_JSON' }),
  yes: flag('--yes', 'do what destroys without asking', { variable: 'CHRONIS_YES' }),
  logLevel: choice('--log-level <level>', 'what is told on stderr', logLevels, {
    variable: 'CHRONIS_LOG_LEVEL',
    absent: undefined,
    default: 'WARNING; of run INFO',
  }),
  noColor: flag('--no-color', 'no colours; NO_COLOR does the same', { variable: 'CHRONIS_NO_COLOR' }),
};

export type GlobalValues = CliValues<typeof globalOptions>;
