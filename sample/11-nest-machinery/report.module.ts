import { Injectable, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { ChronisModule, Cron, JobHandler } from 'nestjs-chronis';
import { shops } from './around.js';

@Injectable()
export class ReportService {
  @Cron(
    {
      useFactory: (config: ConfigService) => config.getOrThrow<string>('REPORT_CRON'),
      inject: [ConfigService],
    },
    { id: 'nightly' },
  )
  nightly(): void {}

  @Cron('0 * * * *', { id: 'hourly' })
  hourly(): void {}

  @JobHandler('monthly-report')
  monthly(): string {
    return `reported; the shop is ${shops.getStore() ?? 'not known, as the interceptor is that of the other scheduler'}`;
  }
}

/** Everything that its providers declare belongs to the scheduler "reports". */
@Module({
  imports: [ChronisModule.forFeature({ instance: 'reports', timeZone: 'Europe/Lisbon' })],
  providers: [ReportService],
})
export class ReportModule {}
