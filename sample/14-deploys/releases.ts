import { Injectable } from '@nestjs/common';
import { Cron, Interval } from 'nestjs-chronis';

/** What instances with the role `web` declare. */
@Injectable()
export class WebJobs {
  @Interval('10m', { id: 'warm-cache' })
  warmCache(): void {}
}

/** What instances with the role `worker` declare. */
@Injectable()
export class WorkerJobs {
  @Cron('0 9 * * *', { id: 'report' })
  report(): void {}

  @Interval('1h', { id: 'clean-up' })
  cleanUp(): void {}

  @Cron('0 0 * * *', { id: 'archive' })
  archive(): void {}
}

/** The next release of these: the report comes at another time, the clean-up has another name, the archive is gone, and statistics are new. */
@Injectable()
export class NextWorkerJobs {
  @Cron('30 7 * * *', { id: 'report' })
  report(): void {}

  @Interval('1h', { id: 'tidy', previousIds: ['clean-up'] })
  cleanUp(): void {}

  @Interval('10m', { id: 'statistics' })
  statistics(): void {}
}
