import { aboutEmbedded, door, openEmbedded } from './embedded.mjs';

export const about = aboutEmbedded('chronis-sqlite', 'a ledger row per run, in SQLite');

/** Ours in a SQLite database. */
export const open = (options) =>
  openEmbedded(options, async (path) => (await door('sqlite/index.js')).sqliteStorage({ path: `${path}.db` }));
