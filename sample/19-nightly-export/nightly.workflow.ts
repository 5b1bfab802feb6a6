import { Injectable } from '@nestjs/common';
import { Ctx, FromStep, Item, ManualStep, Step, Workflow, type StepContext } from 'nestjs-chronis';
import { Source } from './source.js';

interface Price {
  id: number;
  cents: number;
}

/** Reads rows, turns each into a price beside the others, stores them, waits for somebody's approval, and reports. */
@Workflow('nightly', { timeout: '1h' })
@Injectable()
export class Nightly {
  constructor(private readonly source: Source) {}

  @Step()
  extract(): number[] {
    console.log('  extract');
    return this.source.ids();
  }

  @Step({ after: 'extract', map: true })
  transform(@Item() id: number): Price {
    const cents = 100 * Number(this.source.row(id).price);
    console.log(`  transform row ${id}`);
    if (Number.isNaN(cents)) throw new Error(`row ${id}: "${this.source.row(id).price}" is no price`);
    return { id, cents };
  }

  @Step({ after: 'transform' })
  async load(
    @Ctx() ctx: StepContext<null, { transform: Price[] }>,
  ): Promise<{ rows: number; cents: number }> {
    const sum = { rows: 0, cents: 0 };
    for await (const { cents } of ctx.results('transform')) {
      sum.rows++;
      sum.cents += cents;
    }
    console.log(`  load ${sum.rows} rows`);
    return sum;
  }

  @ManualStep({ after: 'load', timeout: '8h' })
  approve(): void {}

  @Step({ after: ['approve', 'load'] })
  report(
    @FromStep('approve') { by }: { by: string },
    @FromStep('load') { rows, cents }: { rows: number; cents: number },
  ): string {
    return `${rows} rows, ${cents / 100} in all, approved by ${by}`;
  }
}
