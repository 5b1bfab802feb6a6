import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { CronOptions } from './cron.decorator.js';
import type { CronSource } from './cron.time.js';

/** What a decorator says about its method. */
export type ScheduleMetadata =
  | { kind: 'cron'; options: CronOptions & { cronTime: CronSource } }
  | { kind: 'interval'; name: string | undefined; ms: number }
  | { kind: 'timeout'; name: string | undefined; ms: number };

// The keys of the original, on the function: providers of libraries that were decorated with it are found as well.
const typeKey = 'SCHEDULER_TYPE';
const nameKey = 'SCHEDULER_NAME';
const kinds = [
  { kind: 'cron', type: 1, key: 'SCHEDULE_CRON_OPTIONS' },
  { kind: 'timeout', type: 2, key: 'SCHEDULE_TIMEOUT_OPTIONS' },
  { kind: 'interval', type: 3, key: 'SCHEDULE_INTERVAL_OPTIONS' },
] as const;

/** A decorator of the kind. Of several on one method the outermost counts. */
export function schedules(
  kind: ScheduleMetadata['kind'],
  name: string | undefined,
  options: object,
): MethodDecorator {
  const { type, key } = kinds.find((candidate) => candidate.kind === kind)!;
  return applyDecorators(SetMetadata(key, options), SetMetadata(nameKey, name), SetMetadata(typeKey, type));
}

/** Null: it is not scheduled. */
export function scheduleOf(method: unknown): ScheduleMetadata | null {
  if (typeof method !== 'function' && (typeof method !== 'object' || method === null)) return null;
  const type: unknown = Reflect.getMetadata(typeKey, method);
  const found = kinds.find((candidate) => candidate.type === type);
  if (!found) return null;
  const options = Reflect.getMetadata(found.key, method) as never;
  if (found.kind === 'cron') return { kind: 'cron', options };
  const name = Reflect.getMetadata(nameKey, method) as string | undefined;
  return { kind: found.kind, name, ms: (options as { timeout: number }).timeout };
}
