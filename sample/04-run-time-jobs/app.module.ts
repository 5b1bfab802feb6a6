import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, JobHandler, type RunContext } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';

@Injectable()
class Nursery {
  @JobHandler('water')
  water({ payload }: RunContext<{ bed: string }>): string {
    return `${payload.bed} is wet`;
  }

  /** The nominal time says which day it is about, however late it runs. */
  @JobHandler('count-harvest')
  countHarvest({ nominalAt }: RunContext): string {
    return `harvest of ${nominalAt.toISOString().slice(0, 10)}`;
  }
}

@Module({
  imports: [
    ChronisModule.forRootAsync({
      useFactory: () => ({
        storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: 'run_time_sample' }),
        lock: typeOrmLock(),
        app: 'run-time-sample',
      }),
    }),
  ],
  providers: [Nursery],
})
export class AppModule {}
