import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { expect, test } from 'vitest';
import { Cron, Interval, ScheduleModule, Timeout } from '../../lib/schedule/index.js';
import { boot, subjects } from './subjects.js';

const ours = subjects[1]!;

/** Puts a getter in the place of the method. */
const AutoBind = (_: object, __: string, { value }: PropertyDescriptor): PropertyDescriptor => ({
  configurable: true,
  get() {
    throw new Error(`read: ${String(value)}`);
  },
});

/** Puts another function in the place of the method, which has nothing of it, or what Reflect knows of it. */
const wrap =
  (keeps: boolean) =>
  (_: object, __: string, descriptor: PropertyDescriptor): void => {
    const method = descriptor.value as () => unknown;
    const wrapped = function (this: unknown): unknown {
      return method.call(this);
    };
    if (keeps)
      for (const key of Reflect.getMetadataKeys(method))
        Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapped);
    descriptor.value = wrapped;
  };

async function warnings(metadata: ModuleMetadata): Promise<string[]> {
  const app = await boot(ours, metadata);
  await app.close();
  return app.log.lines.map(({ message }) => String(message)).filter((line) => /Nothing runs/.test(line));
}

@Injectable()
class Poller {
  @AutoBind
  @Cron('0 0 1 1 *')
  bound(): void {}
  @wrap(false)
  @Interval(1_000_000)
  wrapped(): void {}
  @wrap(true)
  @Timeout(1_000_000)
  kept(): void {}
  @Cron('0 0 1 1 *')
  @wrap(false)
  outermost(): void {}
}

const told =
  ' which scheduled them, as these put something else in the place of the methods. Write those of nestjs-chronis/schedule above the others, and take away one that makes a getter of a method, which needs no binding here.';

test('a decorator above ours that takes the method away from it is told at boot, and nothing is read', async () => {
  expect(await warnings({ providers: [Poller] })).toEqual([
    `Nothing runs Poller.bound and Poller.wrapped: decorators above have hidden those${told}`,
  ]);
});

test('also where it is inherited, and where the module is distributed', async () => {
  @Injectable()
  class Child extends Poller {}
  const imports = [ScheduleModule.forRoot({ distributed: {} })];
  expect(await warnings({ imports, providers: [Child] })).toEqual([
    `Nothing runs Child.bound and Child.wrapped: decorators above have hidden those${told}`,
  ]);
});

test('not where a class overrides the method without a decorator, which takes the schedule away', async () => {
  @Injectable()
  class Child extends Poller {
    override bound(): void {}
    override wrapped(): void {}
  }
  expect(await warnings({ providers: [Child] })).toEqual([]);
});
