import type { AdapterSettings } from '../typeorm.options.js';
import type { TableNames } from '../sql/table.names.js';
import type { Finding, Repair } from './diagnosis.js';
import type { DoctorSession } from './doctor.session.js';

/** What checks read from, and by what they judge. */
export interface Ground {
  session: DoctorSession;
  /** A further connection, such as the one that listens would be. Throws what stands in the way. */
  another: () => Promise<DoctorSession>;
  t: TableNames;
  settings: AdapterSettings;
  limits: DoctorLimits;
}

/** Times are in milliseconds. */
export interface DoctorLimits {
  overdueAfterMs: number;
  longTransactionMs: number;
  forgottenAfterMs: number;
  /** How many. */
  deadLetters: number;
}

/** One look at one topic. Reads only. */
export interface Check {
  name: string;
  look: (ground: Ground) => Promise<Finding[]>;
}

export const bySql = (text: string): Repair => ({ by: 'sql', text });
export const byCommand = (text: string): Repair => ({ by: 'command', text });
export const byHand = (text: string): Repair => ({ by: 'hand', text });

/** A few names in a sentence: the first ones, and how many more. */
export function some(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** `1 job`, `2 jobs`. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}
