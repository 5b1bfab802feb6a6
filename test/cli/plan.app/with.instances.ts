import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import {
  ChronisModule,
  Cron,
  InjectScheduler,
  Interval,
  Step,
  Workflow,
  type SchedulerService,
} from '../../../lib/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

const storage = (suffix: string) =>
  typeOrmStorage({ url: process.env.PLAN_URL, schema: `${process.env.PLAN_SCHEMA!}${suffix}` });
const stored = (instance: string) =>
  ChronisModule.forRootAsync({ instance, useFactory: () => ({ app: instance, storage: storage('') }) });

@Injectable()
class Shop {
  @Cron('0 9 * * *', { id: 'daily', instance: 'shop' })
  daily(): void {}
}

@Injectable()
class First {
  @Cron('0 2 * * *', { id: 'nightly', instance: 'reports' })
  nightly(): void {}
}

@Injectable()
class Second implements OnModuleInit {
  constructor(@InjectScheduler('reports') private readonly reports: SchedulerService) {}

  async onModuleInit(): Promise<void> {
    this.reports.registerHandler('sweep', () => undefined);
    await this.reports.upsert({ id: 'sweep', handler: 'sweep', every: '1h' });
  }

  @Cron('0 3 * * *', { id: 'nightly', instance: 'reports' })
  nightly(): void {}

  @Interval('10m', { id: 'poll', instance: 'reports' })
  poll(): void {}

  @Interval('1s', { id: 'cached', instance: 'cache' })
  cached(): void {}
}

@Workflow('monthly', { instance: 'reports' })
class Monthly {
  @Step()
  load(): void {}
}

@Module({ imports: [stored('shop'), stored('reports')], providers: [Shop, First] })
export class AppModule {}

@Module({
  imports: [stored('shop'), stored('reports'), ChronisModule.forRoot({ instance: 'cache' })],
  providers: [Shop, Second, Monthly],
})
export class NextModule {}

/** Nothing is stored of it. */
@Module({ imports: [ChronisModule.forRoot({ instance: 'cache' })] })
export class MemoryModule {}
