import type { CronFields, CronTrigger, DstPolicy, IntervalTrigger } from '../model/trigger.js';
import { everyOf } from './cron.macros.js';
import { normalizeFields } from './cron.fields.js';
import { planCron } from './cron.plan.js';
import { checkKeys, checkWord } from './keys.js';
import { normalizeInterval } from './normalize.interval.js';
import type { NormalizeContext } from './normalize.context.js';
import { normalizeRecurrence, recurrenceKeys } from './normalize.recurrence.js';
import { refuse } from './refuse.js';

/** The stored form of a cron; of an interval where the expression is `@every …`. */
export function normalizeCron(given: object, context: NormalizeContext): CronTrigger | IntervalTrigger {
  const keys = checkKeys(given, ['type', 'expression', 'fields', 'dst', ...recurrenceKeys], 'cron');
  const { expression, fields } = keys;
  if (expression === undefined && fields === undefined) {
    refuse(given, 'empty', 'Cron: neither an expression nor fields are given.', { field: 'expression' });
  }
  if (expression !== undefined && fields !== undefined) {
    refuse(given, 'ambiguous', 'Cron: an expression and fields are given.', {
      field: 'fields',
      hint: 'Give one of them.',
    });
  }
  const every = typeof expression === 'string' ? everyOf(expression) : null;
  if (every) return everyInterval(keys, every.text, context);

  const when =
    fields === undefined
      ? { expression: trimmed(expression) }
      : { fields: normalizeFields(fields as CronFields) };
  planCron(when, context.jobKey ?? '');
  const dst = keys.dst === undefined ? null : normalizeDst(keys.dst);
  return { type: 'cron', ...when, ...normalizeRecurrence(keys, context), ...(dst ? { dst } : {}) };
}

function everyInterval(
  keys: Record<string, unknown>,
  text: string,
  context: NormalizeContext,
): IntervalTrigger {
  const { expression: _expression, dst, ...rest } = keys;
  if (dst !== undefined) {
    refuse(dst, 'unknown-key', 'Cron "@every" is an interval: daylight saving does not touch it.', {
      field: 'dst',
      hint: 'Remove dst.',
    });
  }
  return normalizeInterval({ ...rest, type: 'interval', every: text }, context);
}

/** Blanks at the ends say nothing; what is no text is refused by the parser. */
function trimmed(expression: unknown): string {
  return typeof expression === 'string' ? expression.replace(/^[ \t]+|[ \t]+$/g, '') : (expression as string);
}

function normalizeDst(given: unknown): DstPolicy | null {
  const keys = checkKeys(given, ['gap', 'overlap'], 'dst');
  const dst: DstPolicy = {};
  if (keys.gap !== undefined) dst.gap = checkWord(keys.gap, ['run', 'skip', 'shift'], 'dst.gap');
  if (keys.overlap !== undefined)
    dst.overlap = checkWord(keys.overlap, ['first', 'second', 'both'], 'dst.overlap');
  return Object.keys(dst).length > 0 ? dst : null;
}
