import { Module } from '@nestjs/common';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { GreenhouseService } from './greenhouse.service.js';

@Module({
  imports: [
    // Imported last, so that it starts after all other modules and stops before them.
    ChronisModule.forRootAsync({
      useFactory: () => ({
        storage: typeOrmStorage({ url: process.env.DATABASE_URL! }),
        lock: typeOrmLock(),
        app: 'greenhouse',
      }),
    }),
  ],
  providers: [GreenhouseService],
})
export class AppModule {}
