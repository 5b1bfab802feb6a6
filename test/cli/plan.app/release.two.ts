import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, Cron, Interval, Step, Workflow } from '../../../lib/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

@Injectable()
class Reports {
  @Cron('0 7 * * *', { id: 'daily', timeZone: 'Asia/Seoul', maxRetries: 2 })
  daily(): void {}

  @Cron('30 2 * * *', { id: 'nightly', timeZone: 'Europe/Berlin' })
  nightly(): void {}

  @Interval('10m', { id: 'poller', previousIds: ['poll'] })
  poll(): void {}

  @Cron('30 2 * * MON', { id: 'weekly', timeZone: 'Europe/Berlin' })
  weekly(): void {}

  @Cron('0 12 * * *', { id: 'noon' })
  noon(): void {}
}

@Workflow('order')
class Order {
  @Step()
  load(): void {}

  @Step({ after: 'load' })
  ship(): void {}
}

@Workflow('parcel')
class Parcel {
  @Step()
  send(): void {}
}

@Module({
  imports: [
    ChronisModule.forRootAsync({
      useFactory: () => ({
        app: 'shop',
        storage: typeOrmStorage({ url: process.env.PLAN_URL, schema: process.env.PLAN_SCHEMA! }),
      }),
    }),
  ],
  providers: [Reports, Order, Parcel],
})
export class AppModule {}
