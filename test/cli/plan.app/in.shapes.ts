import { Module, type DynamicModule } from '@nestjs/common';
import { ChronisModule } from '../../../lib/index.js';

@Module({ imports: [ChronisModule.forRoot()] })
class AppModule {}

/** Modules as an application may export them. */
export const Dynamic: DynamicModule = { module: AppModule };
export const Promised = Promise.resolve(Dynamic);
export const PromisedClass = Promise.resolve(AppModule);
export const Settings = { port: 3_000 };
