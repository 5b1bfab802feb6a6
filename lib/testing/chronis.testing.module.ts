import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ChronisOverride } from '../index.js';
import { TestBench } from './test.bench.js';

/** Puts the test's clock and storage in the place of those of the application's ChronisModule. */
@Module({})
export class ChronisTestingModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly bench: TestBench,
    private readonly modules: ModuleRef,
  ) {}

  onModuleInit(): void {
    this.bench.resolve((token) => this.modules.get(token as never, { strict: false }));
  }

  onApplicationShutdown(): void {
    this.bench.time.end();
  }

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
