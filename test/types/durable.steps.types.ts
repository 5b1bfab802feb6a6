// Never run: the type check fails when a line marked as an error compiles, or when another does not.
import type { JsonValue, RunContext, SqlExecutor, StepResult } from '../../lib/index.js';

declare const context: RunContext;
interface Transaction extends SqlExecutor {
  make(): Promise<{ at: Date }>;
}
declare const transaction: Transaction;
declare function is<T>(value: T): void;

interface Payment {
  id: string;
  at: Date;
  note?: string;
  lines: readonly { price: number; refund(): void }[];
  void(): void;
}
declare function charge(): Promise<Payment>;

export async function results(): Promise<void> {
  is<string>(await context.step('text', () => 'text'));
  is<null>(await context.step('nothing', () => undefined));
  is<null>(await context.step('none', async () => {}));
  is<JsonValue>(await context.step('json', (): JsonValue => ({})));
  const payment = await context.step('charge', charge);
  is<string>(payment.id);
  is<string>(payment.at);
  is<string | undefined>(payment.note);
  is<number>(payment.lines[0]!.price);
  // @ts-expect-error A Date is text in the result of a step.
  is<Date>(payment.at);
  // @ts-expect-error It has no methods.
  payment.void();
  is<StepResult<number>>(1);
  await context.sleep('3 days');
  await context.sleep({ hours: 2 });
  await context.sleepUntil(new Date());
  await context.sleepUntil('2030-01-01');
  await context.sleep('1h', { name: 'rest' });
  await context.sleepUntil('2030-01-01', { name: 'until spring' });
  is<string>(await context.step.transaction('invoice', async () => 'id'));
  is<null>(await context.step.transaction('none', () => undefined));
  const begin = (run: (executor: SqlExecutor, tx: Transaction) => Promise<void>): Promise<void> =>
    run(transaction, transaction);
  const made = await context.step.transaction('made', (tx: Transaction) => tx.make(), { begin });
  is<string>(made.at);
  // @ts-expect-error It has no name.
  await context.step.transaction(() => 1);
  // @ts-expect-error It has no name.
  await context.step(charge);
  // @ts-expect-error It has nothing to run.
  await context.step('charge');
}
