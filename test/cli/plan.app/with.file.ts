import { Module } from '@nestjs/common';
import { ChronisModule } from '../../../lib/index.js';
import { fileStorage } from '../../../lib/file/index.js';
import { sqliteStorage } from '../../../lib/sqlite/index.js';

@Module({
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
