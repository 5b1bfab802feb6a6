// One job of each kind, made and run by the package itself, which the rows are copies of.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService } from '../../dist/index.js';
import { typeOrmStorage } from '../../dist/typeorm/index.js';

/** `close`: the templates stay. */
export async function makeTemplates(url) {
  class TemplateModule {}
  const recipe = typeOrmStorage({ url });
  let storage;
  const kept = { ...recipe, create: (...given) => (storage = recipe.create(...given)) };
  Module({ imports: [ChronisModule.forRoot({ storage: kept, autoStart: false, log: false })] })(
    TemplateModule,
  );
  const app = await NestFactory.createApplicationContext(TemplateModule, { logger: ['error'] });
  const scheduler = app.get(SchedulerService);
  scheduler.registerHandler('kept', () => ({ done: true }));
  scheduler.registerHandler('dead', () => {
    throw new TypeError('The card was declined.');
  });
  const lasting = { keep: '60d', allowUnknownHandler: true };
  const schedule = (handler, options) => scheduler.schedule(handler, { ...lasting, ...options });
  const recurring = await scheduler.schedule('future', {
    id: 'template',
    cron: '0 0 1 1 *',
    allowUnknownHandler: true,
  });
  const future = await schedule('future', { in: '300d' });
  const ended = [await schedule('kept', { in: 0 }), await schedule('dead', { in: 0 })];
  await scheduler.start();
  for (const { id } of ended) {
    const [run] = (await scheduler.getRuns({ jobId: id })).items;
    await scheduler.waitForRun(run.id).catch(() => undefined);
  }
  await scheduler.stop();
  const [keptId, dead] = ended.map(({ id }) => id);
  return {
    storage,
    ids: { recurring: recurring.id, future: future.id, kept: keptId, dead },
    close: () => app.close(),
  };
}
