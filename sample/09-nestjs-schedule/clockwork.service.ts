import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from 'nestjs-chronis/schedule';

/** Written for @nestjs/schedule; only the import is another one. */
@Injectable()
export class ClockworkService {
  @Cron(CronExpression.EVERY_SECOND, { name: 'tick' })
  tick(): void {
    report('tick');
  }

  @Cron('*/2 * * * * *', { name: 'chime', timeZone: 'Europe/Lisbon' })
  chime(): void {
    report('chime');
  }

  @Cron('*/3 * * * * *', { name: 'wind', utcOffset: 540, waitForCompletion: true })
  async wind(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    report('wind');
  }
}

function report(cron: string): void {
  process.send?.({ cron, at: Date.now() });
}
