const nothingStored = 'it stores no jobs';

export const about = {
  name: 'nestjs-schedule',
  package: '@nestjs/schedule',
  keeps: 'nothing, timers of one process',
  setting: 'CronJob and setInterval through its SchedulerRegistry',
  cronsIn: 'worker',
  cannot: {
    drain: nothingStored,
    flow: nothingStored,
    lag: nothingStored,
    create: nothingStored,
    growth: nothingStored,
    'minute, 3 workers': 'each of three processes would fire them all',
  },
};

export async function open() {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { ScheduleModule, SchedulerRegistry } = await import('@nestjs/schedule');
  const { CronJob } = await import('cron');
  class BenchModule {}
  Module({ imports: [ScheduleModule.forRoot()] })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
  const registry = app.get(SchedulerRegistry);
  const made = [];
  return {
    async crons(count, pace) {
      for (let key = 0; key < count; key++) made.push({ key, pace });
    },
    async work(note) {
      for (const { key, pace } of made) {
        if (pace === 'second')
          registry.addInterval(
            `${key}`,
            setInterval(() => note({ key }), 1_000),
          );
        else {
          const job = new CronJob(pace === 'year' ? '0 0 1 1 *' : '* * * * *', () => note({ key }));
          registry.addCronJob(`${key}`, job);
          job.start();
        }
      }
    },
    close: () => app.close(),
  };
}
