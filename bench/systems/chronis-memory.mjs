import { aboutEmbedded, openEmbedded } from './embedded.mjs';

export const about = aboutEmbedded('chronis-memory', 'a ledger row per run, in memory');

/** Ours without a database: nothing outlasts the process. */
export const open = (options) => openEmbedded(options, async () => undefined);
