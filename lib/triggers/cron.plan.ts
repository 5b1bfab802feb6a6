import type { CronTrigger } from '../model/trigger.js';
import { BoundedCache } from './bounded.cache.js';
import { isFixedTime, type CronDefinition } from './cron.definition.js';
import { parseCronExpression } from './cron.expression.js';
import { parseCronFields } from './cron.fields.js';
import { refuse } from './refuse.js';
import { WallSchedule } from './wall.schedule.js';

/** A cron that was read: its sets, and the tables made of them. */
export interface CronPlan {
  definition: CronDefinition;
  wall: WallSchedule;
  fixedTime: boolean;
}

const plans = new BoundedCache<CronPlan>(2_000);

/** Reads a cron once for all jobs that have the same; refuses one that never fires. */
export function planCron(trigger: Pick<CronTrigger, 'expression' | 'fields'>, jobKey: string): CronPlan {
  const { expression, fields } = trigger;
  const source = typeof expression === 'string' ? expression : JSON.stringify(fields);
  const cached = typeof source === 'string' && source.length <= 4_096;
  const key = cached
    ? `${expression === undefined ? 'f' : 'e'}${/h/i.test(source) ? jobKey : ''}\n${source}`
    : '';
  const known = cached ? plans.get(key) : undefined;
  if (known) return known;
  const definition =
    fields === undefined
      ? parseCronExpression(expression as string, jobKey)
      : parseCronFields(fields, jobKey);
  const plan = { definition, wall: new WallSchedule(definition), fixedTime: isFixedTime(definition) };
  if (!plan.wall.everMatches) {
    refuse(expression ?? fields, 'never-fires', 'The schedule never fires: no date matches it.', {
      field: 'day',
      hint: 'Check the day against the months, weekdays and years.',
    });
  }
  return cached ? plans.set(key, plan) : plan;
}
