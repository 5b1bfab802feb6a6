import { Injectable } from '@nestjs/common';
import { Cron, Interval, JobHandler, type RunContext } from 'nestjs-chronis';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

@Injectable()
export class ClusterJobs {
  @Interval('1s', { id: 'poll-inbox' })
  pollInbox(): void {}

  @Interval('2s', { id: 'refresh-prices' })
  async refreshPrices(): Promise<void> {
    await pause(200);
  }

  @Cron('*/3 * * * * *', { id: 'collect-metrics' })
  collectMetrics(): void {}

  @Cron('*/5 * * * * *', { id: 'send-digest', timeZone: 'Asia/Seoul' })
  async sendDigest(): Promise<void> {
    await pause(100);
  }

  @JobHandler('charge-order')
  async chargeOrder({ payload }: RunContext<{ order: number }>): Promise<string> {
    await pause(20);
    return `order ${payload.order} charged`;
  }
}
