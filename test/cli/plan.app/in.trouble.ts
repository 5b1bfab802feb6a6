import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { ChronisModule } from '../../../lib/index.js';
import { fileStorage } from '../../../lib/file/index.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** An application whose boot does something that it should not. */
function app(parts: Omit<DynamicModule, 'module'>, isChronis = true): Type {
  class AppModule {}
  const storage = () => ({ storage: fileStorage({ path: process.env.PLAN_FILE! }) });
  const imports = isChronis ? [ChronisModule.forRootAsync({ useFactory: storage })] : [];
  Module({ imports, ...parts })(AppModule);
  return AppModule;
}

function hook(work: () => unknown): Type {
  class Warm {
    onModuleInit(): unknown {
      return work();
    }
  }
  return Warm;
}

const open = (): unknown => setInterval(() => undefined, 60_000);

export const Exits = app({ providers: [hook(() => process.exit(0))] });
export const Breaks = app({
  providers: [
    hook(async () => {
      setImmediate(() => {
        throw new Error('nobody caught this');
      });
      await never();
    }),
  ],
});
export const Starves = app({ providers: [hook(never)] }, false);
export const Hangs = app({
  providers: [
    hook(async () => {
      open();
      await never();
    }),
  ],
});
export const Unmade = app({
  providers: [
    { provide: 'CONNECTION', useFactory: () => (open(), never()) },
    { provide: 'USES', inject: ['CONNECTION'], useFactory: () => 1 },
  ],
});
export const Unclosed = app({
  providers: [
    class Closing {
      onModuleDestroy(): unknown {
        open();
        return never();
      }
    },
  ],
});
export const Noisy = app({
  providers: [
    hook(() => {
      console.log('noise');
      process.stdout.write('more\n');
      open();
    }),
  ],
});
