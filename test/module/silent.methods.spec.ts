import { Controller, Get, Injectable, Query, UsePipes, ValidationPipe } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Cron,
  Ctx,
  Interval,
  InvalidOptionError,
  JobHandler,
  OnJobEvent,
  Payload,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

let booted: NestApp | null = null;
afterEach(async () => {
  await booted?.close();
  booted = null;
});

async function boot(given: Parameters<typeof NestApp.boot>[0]): Promise<NestApp> {
  return (booted = await NestApp.boot(given));
}

describe('a method in whose place another decorator has put a getter', () => {
  let reads = 0;
  const AutoBind = (_: object, __: string, { value }: PropertyDescriptor): PropertyDescriptor => ({
    configurable: true,
    get() {
      reads++;
      return (value as () => void).bind(this);
    },
  });

  const kinds: [string, MethodDecorator][] = [
    ['@Interval', Interval('1s')],
    ['@Cron', Cron('0 9 * * *')],
    ['@JobHandler', JobHandler('poll')],
    ['@OnJobEvent', OnJobEvent('failed') as MethodDecorator],
  ];
  test.each(kinds)('stops the boot, by its name (%s), and is not read', async (name, decorator) => {
    @Injectable()
    class Poller {
      @AutoBind
      @decorator
      poll(): void {}
    }
    @Injectable()
    class Child extends Poller {}
    reads = 0;
    for (const [provider, place] of [
      [Poller, 'Poller.poll'],
      [Child, 'Child.poll'],
    ] as const) {
      const refused = await boot({ providers: [provider] }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(InvalidOptionError);
      expect((refused as Error).message).toContain(`${name} on ${place}`);
      expect((refused as Error).message).toContain('Take that decorator away');
    }
    expect(reads).toBe(0);
  });

  test('is of no interest where it has no decorator of this package, or a class overrides it', async () => {
    @Injectable()
    class Base {
      @AutoBind
      plain(): void {}
      @AutoBind
      @Interval('1h')
      poll(): void {}
    }
    @Injectable()
    class Child extends Base {
      override poll(): void {}
      @Interval('1h')
      own(): void {}
    }
    const app = await boot({ providers: [Child] });
    expect((await app.scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['Child.own']);
  });
});

describe('a method that seems to expect a payload, without @Payload()', () => {
  class MailDto {
    to!: string;
  }
  const pipe = new ValidationPipe({ transform: true });

  test('is told at boot, with the class of its parameter and its pipes', async () => {
    @Injectable()
    class Mail {
      @JobHandler('send')
      @UsePipes(pipe)
      send(it: MailDto): unknown {
        return it;
      }
      @Interval('1h', { useEnhancers: true })
      typed(it: MailDto): unknown {
        return it;
      }
      @JobHandler('piped')
      @UsePipes(pipe)
      piped(it: RunContext): unknown {
        return it;
      }
      @JobHandler('count')
      count(it: number): unknown {
        return it;
      }
      @Interval('1h')
      sync(force: boolean = false): unknown {
        return force;
      }
    }
    const app = await boot({ providers: [Mail] });
    expect(app.heard('payloads.unmarked')).toEqual([
      {
        methods: [
          { place: 'Mail.send', type: 'MailDto', pipes: true },
          { place: 'Mail.typed', type: 'MailDto', pipes: false },
          { place: 'Mail.piped', type: null, pipes: true },
          { place: 'Mail.count', type: 'Number', pipes: false },
          { place: 'Mail.sync', type: 'Boolean', pipes: false },
        ],
      },
    ]);
  });

  test('is not meant where parameters are marked, or may take the context', async () => {
    @Injectable()
    class Fine {
      @JobHandler('marked')
      @UsePipes(pipe)
      marked(@Payload() it: MailDto): unknown {
        return it;
      }
      @JobHandler('context')
      context(@Ctx() it: RunContext): unknown {
        return it;
      }
      @JobHandler('plain')
      plain(it: RunContext<{ to: string }>): unknown {
        return it;
      }
      @JobHandler('union')
      union(it?: string | RunContext, mail?: MailDto): unknown {
        return [it, mail];
      }
      @JobHandler('unknown')
      builtIn(it: unknown): unknown {
        return it;
      }
      @Interval('1h')
      nothing(): void {}
      @Interval('1h', { disabled: true })
      off(it: MailDto): unknown {
        return it;
      }
      @OnJobEvent('failed')
      listener(it: object): unknown {
        return it;
      }
      other(it: MailDto): unknown {
        return it;
      }
    }
    @Controller()
    class Web {
      @Get('mail')
      @Interval('1h')
      @UsePipes(pipe)
      route(@Query() it: MailDto): unknown {
        return it;
      }
      @Get('all')
      @Interval('1h')
      @UsePipes(pipe)
      all(): void {}
    }
    const app = await boot({ providers: [Fine], controllers: [Web] });
    expect(app.heard('payloads.unmarked')).toEqual([]);
  });
});
