import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, Cron } from '../../../lib/index.js';
import { ChronisExecutorsModule } from '../../../lib/executors/index.js';
import { ChronisJobFilesModule } from '../../../lib/job-files/index.js';
import { typeOrmStorage } from '../../../lib/typeorm/index.js';

@Injectable()
class Reports {
  @Cron('0 9 * * *', { id: 'daily' })
  daily(): void {}
}

@Module({
  imports: [
    ChronisExecutorsModule.forRoot({ command: { allow: ['/bin/true'] }, binary: {} }),
    ChronisJobFilesModule.forRootAsync({ useFactory: () => ({ directory: process.env.PLAN_JOBS! }) }),
    ChronisModule.forRootAsync({
      useFactory: () => ({
        app: 'shop',
        storage: typeOrmStorage({ url: process.env.PLAN_URL, schema: process.env.PLAN_SCHEMA! }),
      }),
    }),
  ],
  providers: [Reports],
})
export class AppModule {}

/** The next release, without the folder. */
@Module({
  imports: [
    ChronisModule.forRootAsync({
      useFactory: () => ({
        app: 'shop',
        storage: typeOrmStorage({ url: process.env.PLAN_URL, schema: process.env.PLAN_SCHEMA! }),
      }),
    }),
  ],
  providers: [Reports],
})
export class WithoutFiles {}
