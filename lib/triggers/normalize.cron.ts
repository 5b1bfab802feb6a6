import type { CronFields, CronTrigger, DstPolicy, IntervalTrigger } from '../model/trigger.js';
import { InvalidScheduleError } from '../model/errors.js';
import { everyOf } from './cron.macros.js';
import { normalizeFields } from './cron.fields.js';
import { planCron } from './cron.plan.js';
import { parseDuration } from './duration.js';
import { checkKeys, checkWord } from './keys.js';
import { normalizeInterval } from './normalize.interval.js';
import type { NormalizeContext } from './normalize.context.js';
import { normalizeRecurrence, recurrenceKeys } from './normalize.recurrence.js';
import { refuse, shown } from './refuse.js';

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
  if (every) return everyInterval(keys, every, context);

  // As it was given, so that an error's position is right.
  planCron({ expression, fields } as CronTrigger, context.jobKey ?? '');
  const when =
    fields === undefined
      ? { expression: trimmed(expression as string) }
      : { fields: normalizeFields(fields as CronFields) };
  const dst = keys.dst === undefined ? null : normalizeDst(keys.dst);
  return { type: 'cron', ...when, ...normalizeRecurrence(keys, context), ...(dst ? { dst } : {}) };
}

function everyInterval(
  { expression, dst, ...rest }: Record<string, unknown>,
  every: { text: string; position: number },
  context: NormalizeContext,
): IntervalTrigger {
  if (dst !== undefined) {
    refuse(dst, 'unknown-key', 'Cron "@every" is an interval: daylight saving does not touch it.', {
      field: 'dst',
      hint: 'Remove dst.',
    });
  }
  try {
    parseDuration(every.text);
  } catch (error) {
    if (!(error instanceof InvalidScheduleError)) throw error;
    const { reason, hint } = error;
    refuse(expression, reason, `Cron "${shown(expression)}": it names no duration.`, {
      field: 'every',
      position: every.position,
      hint,
    });
  }
  return normalizeInterval({ ...rest, type: 'interval', every: every.text }, context);
}

/** Blanks at the ends say nothing. */
function trimmed(expression: string): string {
  return expression.replace(/^[ \t]+|[ \t]+$/g, '');
}

function normalizeDst(given: unknown): DstPolicy | null {
  const keys = checkKeys(given, ['gap', 'overlap'], 'dst');
  const dst: DstPolicy = {};
  if (keys.gap !== undefined) dst.gap = checkWord(keys.gap, ['run', 'skip', 'shift'], 'dst.gap');
  if (keys.overlap !== undefined)
    dst.overlap = checkWord(keys.overlap, ['first', 'second', 'both'], 'dst.overlap');
  return Object.keys(dst).length > 0 ? dst : null;
}
