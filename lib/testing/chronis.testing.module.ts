import { Module, type DynamicModule } from '@nestjs/common';
import { ChronisOverride } from '../index.js';
import { TestBench } from './test.bench.js';

/** Puts the test's clock and storage in the place of those of the application's ChronisModule. */
@Module({})
export class ChronisTestingModule {
  static of(bench: TestBench): DynamicModule {
    return {
      module: ChronisTestingModule,
      global: true,
      providers: [
        { provide: TestBench, useFactory: () => bench },
        { provide: ChronisOverride, useExisting: TestBench },
      ],
      exports: [TestBench, ChronisOverride],
    };
  }
}
