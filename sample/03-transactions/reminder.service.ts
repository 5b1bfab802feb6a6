import { Injectable } from '@nestjs/common';
import { JobHandler, SchedulerService, type RunContext } from 'nestjs-chronis';
import { DataSource, type EntityManager } from 'typeorm';
import { Reminder } from './reminder.entity.js';

/** A reminder is a row and a job: there are always both, or neither. */
@Injectable()
export class ReminderService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly scheduler: SchedulerService,
  ) {}

  /** Stores the reminder and the job that sends it in one transaction. */
  async remind(text: string, delay: string): Promise<Reminder> {
    return this.dataSource.transaction((manager) => this.remindWithin(manager, text, delay));
  }

  /** All of them, or none. */
  async remindOfAll(texts: readonly string[], delay: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      for (const text of texts) await this.remindWithin(manager, text, delay);
    });
  }

  /** The row says "sent" exactly if the run has succeeded, and only then there is a job that asks about it. */
  @JobHandler('send-reminder')
  async send(context: RunContext<{ reminder: number }>): Promise<void> {
    const { reminder } = context.payload;
    await context.transaction(async (manager) => {
      await manager.update(Reminder, reminder, { sentAt: new Date() });
      await this.scheduler.createDateJob(
        { id: `ask-${reminder}`, handler: 'ask-whether-done', in: '1s', payload: { reminder } },
        { manager },
      );
    });
  }

  @JobHandler('ask-whether-done')
  async askWhetherDone({ payload }: RunContext<{ reminder: number }>): Promise<string> {
    const { text } = await this.dataSource.manager.findOneByOrFail(Reminder, { id: payload.reminder });
    return `${text}: done?`;
  }

  /** What is stored by now: rows of ours, and jobs. */
  async stored(): Promise<{ reminders: number; jobs: number }> {
    const reminders = await this.dataSource.manager.count(Reminder);
    return { reminders, jobs: await this.scheduler.countJobs({ handler: 'send-reminder' }) };
  }

  private async remindWithin(manager: EntityManager, text: string, delay: string): Promise<Reminder> {
    const reminder = await manager.save(Reminder, { text, sentAt: null });
    await this.scheduler.createDateJob(
      {
        id: `reminder-${reminder.id}`,
        handler: 'send-reminder',
        in: delay,
        payload: { reminder: reminder.id },
      },
      { manager },
    );
    // Both are written by now, and both are taken back.
    if (text.trim() === '') throw new Error('A reminder needs a text.');
    return reminder;
  }
}
