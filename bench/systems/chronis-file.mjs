import { aboutEmbedded, door, openEmbedded } from './embedded.mjs';

export const about = aboutEmbedded('chronis-file', 'the last 10,000 ledger rows, in a file');

/** Ours in a file of JSON, with its journal. */
export const open = (options) =>
  openEmbedded(options, async (path) => (await door('file/index.js')).fileStorage({ path: `${path}.json` }));
