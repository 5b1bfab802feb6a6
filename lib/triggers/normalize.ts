import type { Trigger, TriggerInput, TriggerType } from '../model/trigger.js';
import { assertFires } from './assert.fires.js';
import { checkKeys } from './keys.js';
import { nearestName } from '../model/nearest.name.js';
import { normalizeCron } from './normalize.cron.js';
import { normalizeAt } from './normalize.at.js';
import { normalizeAfter } from './normalize.after.js';
import type { NormalizeContext } from './normalize.context.js';
import { normalizeInterval } from './normalize.interval.js';
import { refuse, shown } from './refuse.js';

export { withAnchor } from './anchor.js';
export type { NormalizeContext } from './normalize.context.js';

type Normalizer = (given: object, context: NormalizeContext) => Trigger;

const normalizers: Record<TriggerType, Normalizer> = {
  cron: normalizeCron,
  interval: normalizeInterval,
  at: normalizeAt,
  after: normalizeAfter,
  manual: (given) => {
    checkKeys(given, ['type'], 'manual');
    return { type: 'manual' };
  },
};

/**
 * Checks a trigger as users write it and gives the form that is stored: plain JSON, instants as ISO text in UTC,
 * durations in milliseconds, the zone resolved. The one validation behind decorators, SchedulerService and all else.
 *
 * The `anchor` of an interval stays absent unless it is given; `withAnchor` fixes it.
 */
export function normalizeTrigger(input: TriggerInput, context: NormalizeContext): Trigger {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const missing = input === undefined || input === null;
    refuse(input, missing ? 'empty' : 'bad-name', `trigger: ${shown(input)} is not a trigger.`, {
      field: 'trigger',
      hint: 'Write for example { type: "cron", expression: "0 9 * * 1-5" }.',
    });
  }
  const type = (input as { type?: unknown }).type;
  if (typeof type !== 'string' || !Object.hasOwn(normalizers, type)) {
    const types = Object.keys(normalizers);
    const near = typeof type === 'string' ? nearestName(type, types) : null;
    const missing = type === undefined || type === null;
    refuse(input, missing ? 'empty' : 'bad-name', `trigger: its type is ${shown(type)}.`, {
      field: 'type',
      hint: near ? `Did you mean "${near}"?` : `It must be ${types.join(', ')}.`,
    });
  }
  const trigger = normalizers[type as TriggerType](input, context);
  assertFires(trigger, context);
  return trigger;
}
