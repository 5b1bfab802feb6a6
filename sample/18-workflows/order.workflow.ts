import { Injectable } from '@nestjs/common';
import { Ctx, FromStep, Item, ManualStep, Step, Workflow, type StepContext } from 'nestjs-chronis';

export interface Order {
  id: number;
  lines: number[];
}

const log = (text: string): void => console.log(`  ${text}`);

/** An order: charged, packed line by line, looked at by somebody, and shipped; a receipt goes out whatever came of that. */
@Workflow('order', { timeout: '1d' })
@Injectable()
export class OrderWorkflow {
  @Step({ maxRetries: 1, backoff: '100ms' })
  charge({ params, attempt }: StepContext<Order>): { payment: string } {
    log(`charge, attempt ${attempt}`);
    if (attempt === 1) throw new Error('The bank is away.');
    return { payment: `payment of order ${params.id}` };
  }

  @Step()
  lines({ params }: StepContext<Order>): number[] {
    return params.lines;
  }

  @Step({ after: 'lines', map: true })
  pack(@Item() line: number, @Ctx() { workflow }: StepContext): string {
    log(`pack line ${workflow.nth}`);
    return `box of ${line}`;
  }

  @ManualStep({ after: ['charge', 'pack'], timeout: '2h' })
  check(): void {}

  @Step({ after: ['check', 'pack', 'charge'], otherwise: 'cancel' })
  ship(@FromStep('pack') boxes: string[], @FromStep('charge') { payment }: { payment: string }): string {
    log(`ship ${boxes.toSorted().join(', ')} for ${payment}`);
    return 'shipped';
  }

  @Step({ after: 'ship', otherwise: 'run' })
  async receipt(ctx: StepContext<Order>): Promise<void> {
    const { verdict } = await ctx.parent('ship');
    log(verdict === 'succeeded' ? 'receipt: it is on its way' : 'receipt: we are sorry');
  }
}
