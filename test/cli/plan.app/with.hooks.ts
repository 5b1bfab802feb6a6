import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ChronisModule, SchedulerService } from '../../../lib/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

@Injectable()
class Seeds implements OnModuleInit {
  constructor(private readonly scheduler: SchedulerService) {}

  async onModuleInit(): Promise<void> {
    this.scheduler.registerHandler('sweep', () => undefined);
    const priority = Number(process.env.PLAN_PRIORITY ?? 5);
    await this.scheduler.upsert({ id: 'sweep', handler: 'sweep', every: '1h', priority });
    if (process.env.PLAN_PAUSES) await this.scheduler.pause({ queue: 'mail' }).catch(() => undefined);
  }
}

@Module({
  imports: [
    ChronisModule.forRootAsync({
      useFactory: () => ({
        app: 'hooks',
        storage: typeOrmStorage({ url: process.env.PLAN_URL, schema: process.env.PLAN_SCHEMA! }),
      }),
    }),
  ],
  providers: [Seeds],
})
export class HooksModule {}
