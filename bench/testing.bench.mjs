// A simulated year in ChronisTesting. Needs `npm run build` in the root.
import 'reflect-metadata';
import { ChronisTesting } from '../dist/testing/index.js';

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Seoul'];

/** 200 schedules as an application may have them; how many runs they make in a year follows from them. */
const mixes = {
  'each once a day, all at other times': (i) => `${(i * 7) % 60} ${i % 24} * * *`,
  '100 daily, 60 weekly, 30 monthly, 10 hourly': (i) => {
    if (i < 10) return `${i * 5} * * * *`;
    if (i < 110) return `${(i * 7) % 60} ${i % 24} * * *`;
    return i < 170 ? `${i % 60} ${i % 24} * * ${i % 7}` : `0 ${i % 24} ${(i % 28) + 1} * *`;
  },
};

console.log('| 200 schedules | runs in a year | seconds | runs a second |\n|---|---|---|---|');
for (const [name, expression] of Object.entries(mixes)) {
  const chronis = await ChronisTesting.create({ chronis: { concurrency: 200 } });
  let runs = 0;
  chronis.scheduler.registerHandler('count', () => void runs++);
  for (let i = 0; i < 200; i++) {
    await chronis.scheduler.createCronJob({
      handler: 'count',
      expression: expression(i),
      timeZone: zones[i % zones.length],
    });
  }
  const begin = performance.now();
  await chronis.advanceTo('2027-01-01T00:00:00Z');
  const seconds = (performance.now() - begin) / 1_000;
  console.log(`| ${name} | ${runs} | ${seconds.toFixed(1)} | ${Math.round(runs / seconds)} |`);
  await chronis.close();
}
