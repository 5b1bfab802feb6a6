import type { InjectionToken } from '@nestjs/common';

/**
 * A schedule that is made when the application boots: `@Cron({ useFactory: (config: ConfigService) => config.get('REPORT_CRON'), inject: [ConfigService] })`.
 * @publicApi
 */
export interface ScheduleFactory<T> {
  /** Gives what would stand in the decorator, at once; null: as if the decorator were not there. */
  useFactory: (...dependencies: any[]) => T | null;
  /** What `useFactory` takes. @default nothing */
  inject?: readonly InjectionToken[];
}

export function isScheduleFactory<T>(given: T | ScheduleFactory<T>): given is ScheduleFactory<T> {
  return typeof given === 'object' && given !== null && 'useFactory' in given;
}
