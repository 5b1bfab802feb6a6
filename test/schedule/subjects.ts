import type { LoggerService, ModuleMetadata, Type } from '@nestjs/common';
import * as original from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import * as cron from 'cron';
import { vi } from 'vitest';
import * as ours from '../../lib/schedule/index.js';

/** One of the packages that the same tests run on. */
export interface Subject {
  name: string;
  schedule: Omit<typeof ours, 'CronJob' | 'CronTime' | 'StoredJob'>;
  cron: Pick<typeof ours, 'CronJob' | 'CronTime'>;
}

export const subjects = [
  { name: '@nestjs/schedule', schedule: original, cron },
  { name: 'nestjs-chronis/schedule', schedule: ours, cron: ours },
] as unknown as Subject[];

export const start = Date.parse('2026-03-10T10:00:00Z');

/** Timers and the clock stand still until they are told to move; promises go on. */
export function stopTime(now: number = start): void {
  vi.useFakeTimers({ now, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
}

/** What was written to the log, without the lines of Nest itself. */
export class Log implements LoggerService {
  readonly lines: { level: string; message: unknown; context: unknown }[] = [];
  log = (): void => undefined;
  warn = (message: unknown, context: unknown): void => this.add('warn', message, context);
  error = (message: unknown, ...rest: unknown[]): void => this.add('error', message, rest.at(-1));

  private add(level: string, message: unknown, context: unknown): void {
    // Classes of other files, which were loaded in the same process.
    if (/no module provides/.test(String(message))) return;
    this.lines.push({ level, message: message instanceof Error ? message.message : message, context });
  }
}

export interface Booted {
  registry: ours.SchedulerRegistry;
  get: <T>(type: Type<T>) => T;
  log: Log;
  close: () => Promise<void>;
}

/** Boots an application with the subject's ScheduleModule. Rejects with what stands in the way. */
export async function boot(
  { schedule }: Subject,
  { imports = [schedule.ScheduleModule.forRoot()], ...metadata }: ModuleMetadata,
): Promise<Booted> {
  const log = new Log();
  const module = await Test.createTestingModule({ imports, ...metadata })
    .setLogger(log)
    .compile();
  const app = module.createNestApplication({ logger: log });
  await app.init();
  return {
    registry: app.get(schedule.SchedulerRegistry),
    get: (type) => app.get(type),
    log,
    close: () => app.close(),
  };
}

/** The message of what a function throws, or a promise rejects with; null: it does not. */
export async function complaint(action: () => unknown): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
