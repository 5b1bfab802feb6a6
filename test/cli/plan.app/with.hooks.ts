import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ChronisModule, SchedulerService } from '../../../lib/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

@Injectable()
class Seeds implements OnModuleInit {
  constructor(private readonly scheduler: SchedulerService) {}

  async onModuleInit(): Promise<void> {
    this.scheduler.registerHandler('sweep', () => undefined);
    await this.scheduler.upsert({ id: 'sweep', handler: 'sweep', every: '1h' });
    if (process.env.PLAN_PAUSES) await this.scheduler.pause({ queue: 'mail' });
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
