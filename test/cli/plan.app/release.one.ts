import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, Cron, Interval, Step, Workflow } from '../../../lib/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

@Injectable()
class Reports {
  @Cron('0 9 * * *', { id: 'daily', timeZone: 'Asia/Seoul' })
  daily(): void {}

  @Cron('30 2 * * *', { id: 'nightly', timeZone: 'Europe/Berlin' })
  nightly(): void {}

  @Interval('10m', { id: 'poll' })
  poll(): void {}

  @Cron('0 0 * * *', { id: 'old' })
  old(): void {}
}

@Workflow('order')
class Order {
  @Step()
  load(): void {}
}

@Workflow('refund')
class Refund {
  @Step()
  pay(): void {}
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
  providers: [Reports, Order, Refund],
})
export class AppModule {}
