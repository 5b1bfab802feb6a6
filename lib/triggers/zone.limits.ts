import { lastLocal } from './cron.definition.js';

/** The last instant of any schedule: the end of the year 9999 in the zone that sees it last. */
export const lastInstantMs = (lastLocal + 12 * 3600) * 1000 + 999;
