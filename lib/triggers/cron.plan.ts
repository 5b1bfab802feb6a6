import type { CronFields, CronTrigger } from '../model/trigger.js';
import { BoundedCache } from './bounded.cache.js';
import { isFixedTime, type CronDefinition } from './cron.definition.js';
import { parseCronExpression } from './cron.expression.js';
import { parseCronFields } from './cron.fields.js';
import { refuse, shown } from './refuse.js';
import { WallSchedule } from './wall.schedule.js';

/** A cron that was read: its sets, and the tables made of them. */
export interface CronPlan {
  definition: CronDefinition;
  wall: WallSchedule;
  fixedTime: boolean;
}

const maxCachedLength = 4_096;
const plans = new BoundedCache<CronPlan>(2_000);

/** Reads a cron once for all jobs that have the same; refuses one that never fires. */
export function planCron(trigger: Pick<CronTrigger, 'expression' | 'fields'>, jobKey: string): CronPlan {
  const { expression, fields } = trigger;
  const content = fields === undefined ? expression : contentOf(fields);
  const key =
    typeof content === 'string' && content.length <= maxCachedLength
      ? `${fields === undefined ? 'e' : 'f'}${/h/i.test(content) ? jobKey : ''}\n${content}`
      : null;
  const known = key === null ? undefined : plans.get(key);
  if (known) return known;
  const definition =
    fields === undefined
      ? parseCronExpression(expression as string, jobKey)
      : parseCronFields(fields, jobKey);
  const plan = { definition, wall: new WallSchedule(definition), fixedTime: isFixedTime(definition) };
  if (!plan.wall.everMatches()) {
    const given = expression ?? fields;
    refuse(given, 'never-fires', `Cron ${textOf(given)} never fires: no date matches it.`, {
      field: 'day',
      hint: 'Check the day against the months, weekdays and years.',
    });
  }
  return key === null ? plan : plans.set(key, plan);
}

/** The fields as text; null where a value is of a kind that text cannot tell from another. */
function contentOf(fields: CronFields): string | null {
  let content = '';
  for (const [key, value] of Object.entries(fields ?? {})) {
    if (typeof value !== 'string' && typeof value !== 'number') return null;
    content += `${key}\n${typeof value} ${value}\n`;
  }
  return content;
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? `"${shown(given)}"` : shown(given);
}
