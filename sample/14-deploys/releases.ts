import { Injectable } from '@nestjs/common';
import { Cron, Interval } from 'nestjs-chronis';

@Injectable()
export class FirstRelease {
  @Cron('0 9 * * *', { id: 'report' })
  report(): void {}

  @Interval('1h', { id: 'clean-up' })
  cleanUp(): void {}

  @Cron('0 0 * * *', { id: 'archive' })
  archive(): void {}
}

/** The report comes at another time, the clean-up has another name, the archive is gone, and statistics are new. */
@Injectable()
export class SecondRelease {
  @Cron('30 7 * * *', { id: 'report' })
  report(): void {}

  @Interval('1h', { id: 'tidy', previousIds: ['clean-up'] })
  tidy(): void {}

  @Interval('10m', { id: 'statistics' })
  statistics(): void {}
}
