import { Injectable } from '@nestjs/common';
import { Cron, JobHandler, SchedulerService, type RunContext } from 'nestjs-chronis';

/** Sends mail. */
export abstract class Mailer {
  abstract send(to: string, text: string): Promise<void>;
}

/** Two weeks of trial: a reminder after ten days, the end after fourteen, and a list of all trials each morning. */
@Injectable()
export class TrialService {
  readonly open = new Set<string>();

  constructor(
    private readonly scheduler: SchedulerService,
    private readonly mailer: Mailer,
  ) {}

  async begin(user: string): Promise<void> {
    this.open.add(user);
    const payload = { user };
    await this.scheduler.createDateJob({ id: `remind-${user}`, handler: 'remind', in: '10d', payload });
    await this.scheduler.createDateJob({
      id: `end-${user}`,
      handler: 'end',
      in: '14d',
      payload,
      maxRetries: 3,
      backoff: '1h',
    });
  }

  @JobHandler('remind')
  async remind({ payload }: RunContext<{ user: string }>): Promise<void> {
    if (this.open.has(payload.user)) await this.mailer.send(payload.user, 'Four days left');
  }

  @JobHandler('end')
  async end({ payload }: RunContext<{ user: string }>): Promise<void> {
    await this.mailer.send(payload.user, 'Your trial is over');
    this.open.delete(payload.user);
  }

  @Cron('0 8 * * *', { id: 'list-trials' })
  async list(): Promise<number> {
    await this.mailer.send('sales', `${this.open.size} open`);
    return this.open.size;
  }
}
