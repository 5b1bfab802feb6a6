import { dayNumber, daySeconds } from './civil.date.js';
import { lastLocal } from './cron.definition.js';

/** The last instant of any schedule: the end of the year 9999 in the zone that sees it last. */
export const lastInstantMs = (lastLocal + 12 * 3600) * 1000 + 999;

/** The first one: the beginning of the year 1 in the zone that saw it first, by its local mean time. */
export const firstInstantMs = (dayNumber(1, 1, 1) * daySeconds - 16 * 3600) * 1000;
