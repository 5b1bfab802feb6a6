import { Injectable, Module } from '@nestjs/common';
import { ChronisModule, Cron } from '../../../lib/index.js';
import { fileStorage } from '../../../lib/file/index.js';
import { sqliteStorage } from '../../../lib/sqlite/index.js';

@Injectable()
class Reports {
  @Cron('0 9 * * *', { id: 'daily' })
  daily(): void {}
}

@Module({
  providers: [Reports],
  imports: [
    ChronisModule.forRootAsync({
      useFactory: () => {
        const path = process.env.PLAN_FILE!;
        return {
          storage: path.endsWith('.db') ? sqliteStorage({ path }) : fileStorage({ path }),
        };
      },
    }),
  ],
})
export class AppModule {}
