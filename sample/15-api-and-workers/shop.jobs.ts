import { Injectable, Logger, Module } from '@nestjs/common';
import { Cron, defineJob, type RunContext } from 'nestjs-chronis';

/** What the processes that create such jobs and those that run them share. */
export const SendReceipt = defineJob<{ order: string }>('send-receipt', { maxRetries: 3 });

@Injectable()
export class Receipts {
  private readonly logger = new Logger('Receipts');

  @SendReceipt.Handle()
  send({ payload }: RunContext<{ order: string }>): string {
    this.logger.log(`Sent the receipt of order ${payload.order}.`);
    return payload.order;
  }
}

@Injectable()
export class Reports {
  private readonly logger = new Logger('Reports');

  @Cron('0 6 * * *', { id: 'daily-report', timeZone: 'Europe/Lisbon' })
  daily(): void {
    this.logger.log('Wrote the daily report.');
  }
}

@Module({ providers: [Receipts, Reports] })
export class JobsModule {}
