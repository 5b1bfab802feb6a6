import { describe, expect, test } from 'vitest';
import { declarationsOf } from '../../lib/decorators/declaration.js';
import { At, Cron, Interval, JobHandler, OnJobEvent } from '../../lib/index.js';
import * as schedule from '../../lib/schedule/index.js';

const drop = { DropCron: schedule.Cron, DropInterval: schedule.Interval, DropTimeout: schedule.Timeout };

describe('the decorators', () => {
  test('keep what several of them say about one method, from the nearest outwards', () => {
    class Reports {
      @JobHandler('report')
      @Interval('5m', { queue: 'slow' })
      @Cron('0 9 * * *')
      report(): void {}
    }
    expect(declarationsOf(Reports.prototype, 'report')).toEqual([
      { kind: 'cron', schedule: '0 9 * * *', options: {} },
      { kind: 'interval', every: '5m', options: { queue: 'slow' } },
      { kind: 'handler', name: 'report', options: {} },
    ]);
  });

  test('check nothing when the class is loaded, as nobody could catch it there', () => {
    expect(() => {
      class Wrong {
        @Cron('no cron', { timeZone: 'nowhere' })
        @At('no date')
        @Interval(-1)
        run(): void {}
      }
      return Wrong;
    }).not.toThrow();
  });

  test('stay on the method when another decorator wraps it', () => {
    const wrapped: MethodDecorator = (_target, _key, descriptor) => {
      const original = descriptor.value as unknown as () => void;
      descriptor.value = function (this: unknown) {
        return original.call(this);
      } as never;
    };
    class Reports {
      @wrapped
      @Cron('0 9 * * *')
      report(): void {}
    }
    expect(declarationsOf(Reports.prototype, 'report')).toHaveLength(1);
  });

  test('refuse what can never be run', () => {
    expect(() => {
      class Reports {
        @Cron('0 9 * * *')
        static report(): void {}
      }
      return Reports;
    }).toThrow('@Cron on Reports.report: is a static method; only methods of an instance can be run.');
    expect(() => {
      class Reports {
        @Interval('5m')
        [Symbol.iterator](): void {}
      }
      return Reports;
    }).toThrow(
      '@Interval on Reports.Symbol(Symbol.iterator): is named by a symbol; only methods with a name in text are found.',
    );
    expect(() => {
      class Reports {
        @(At('2030-01-01 00:00') as PropertyDecorator)
        report = () => undefined;
      }
      return Reports;
    }).toThrow('@At on Reports.report: is not a method. Decorate a method of the class.');
    expect(() => {
      class Reports {
        @JobHandler('x')
        get report(): string {
          return '';
        }
      }
      return Reports;
    }).toThrow('@JobHandler on Reports.report: is not a method. Decorate a method of the class.');
  });

  test('refuse to be on a class, and to be written without parentheses', () => {
    const named = (decorate: (target: { new (): object; prototype: object }) => void) => () => {
      class Reports {
        report(): void {}
      }
      decorate(Reports);
    };
    const onClass = Cron('0 9 * * *') as unknown as ClassDecorator;
    expect(named((target) => onClass(target))).toThrow(
      '@Cron on Reports: is on a class. Decorate the method that is to be run.',
    );
    const bare = { Cron, Interval, At, JobHandler, OnJobEvent, ...drop } as Record<string, any>;
    for (const [name, decorator] of Object.entries(bare)) {
      const written = `@${name.replace('Drop', '')}`;
      expect(named((target) => decorator(target.prototype, 'report', {}))).toThrow(
        `${written} on Reports.report: is written without parentheses. Write ${written}(…).`,
      );
      expect(named((target) => decorator(target))).toThrow(`${written} on Reports: is written without`);
    }
    const dropped = drop.DropInterval(5_000) as unknown as ClassDecorator;
    expect(named((target) => dropped(target))).toThrow('@Interval on Reports: is on a class.');
  });
});
