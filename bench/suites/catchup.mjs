// How long the event loop stands still while a schedule is caught up, in this process.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Engine } from '../../dist/engine/engine.js';
import { engineDefaults } from '../../dist/engine/engine.options.js';
import { HandlerRegistry } from '../../dist/engine/handler.registry.js';
import { ChronisEvents } from '../../dist/events/chronis.events.js';
import { MemoryStorage } from '../../dist/memory/memory.storage.js';
import { SystemClock } from '../../dist/ports/system.clock.js';
import { describeMachine } from '../environment.mjs';
import { summarize } from '../figures.mjs';

const instants = 100_000;
const resolutionMs = 1;
const silent = { log() {}, warn() {}, error() {}, debug() {} };
const exclude = [{ dates: ['2020-01-01'] }];
const triggers = {
  'cron of a second': { type: 'cron', expression: '* * * * * *', timeZone: 'Europe/Berlin' },
  'cron of a second, days left out': {
    type: 'cron',
    expression: '* * * * * *',
    timeZone: 'Europe/Berlin',
    exclude,
  },
  'interval of a second, days left out': { type: 'interval', every: 1_000, exclude },
};

export const suite = {
  about: `The greatest delay of the event loop, in milliseconds, from the start of an engine until all of ${instants} missed instants are on record, by monitorEventLoopDelay (resolution ${resolutionMs} ms, which is taken off); storage in memory. Warm-up: the first round.`,

  /** Needs no database and no processes. */
  async alone(options) {
    const rounds = options.rounds ?? (options.quick ? 3 : 7);
    const samples = [];
    for (let round = 0; round <= rounds; round++) {
      for (const [kind, trigger] of Object.entries(triggers)) {
        for (const misfire of ['once', 'skip', 'all']) {
          const value = await greatestDelay(trigger, misfire);
          const setting = `${kind}, ${misfire}`;
          if (round > 0)
            samples.push({
              system: 'chronis',
              setting,
              measure: 'greatest delay',
              unit: 'ms',
              better: 'less',
              value,
            });
        }
      }
    }
    const results = summarize(samples);
    console.log(`Node ${process.version}, ${describeMachine().cpu}\n\n| schedule | median | greatest |\n| --- | ---: | ---: |`);
    for (const { setting, median, max } of results)
      console.log(`| ${setting} | ${median.toFixed(1)} | ${max.toFixed(1)} |`);
    return {
      suite: 'catchup',
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
      date: new Date().toISOString(),
      hardware: describeMachine(),
      versions: { node: process.version },
      about: suite.about,
      results,
      skipped: [],
    };
  },
};

async function greatestDelay(trigger, misfire) {
  const clock = new SystemClock();
  const storage = new MemoryStorage({ clock });
  await storage.init();
  const events = new ChronisEvents();
  const handlers = new HandlerRegistry();
  handlers.register('work', () => undefined, 'bench');
  const engine = new Engine(
    { storage, lock: storage.lock, clock, handlers, events, logger: () => silent, random: Math.random },
    { ...engineDefaults, name: 'bench', app: 'bench', version: '0', queues: ['default'] },
  );
  await storage.insertJobs([jobOf(trigger, misfire, Date.now() - instants * 1_000)], 'raise');
  const recorded = new Promise((resolve) => {
    let count = 0;
    const note = (more) => {
      count += more;
      if (count >= instants) resolve();
    };
    events.on('gap.recorded', (gap) => note(gap.count));
    events.on('run.started', () => note(1));
  });
  await wait(5);
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  await wait(5);
  await engine.start();
  await recorded;
  delay.disable();
  await engine.stop(0);
  await storage.close();
  return Math.max(0, delay.max / 1e6 - resolutionMs);
}

function jobOf(trigger, misfire, nextAt) {
  return {
    ...{ id: 'secondly', namespace: 'default', name: null, handler: 'work', queue: 'default', priority: 5 },
    ...{ trigger, timeZone: 'UTC', payload: null, metadata: {}, source: 'api', app: 'bench' },
    ...{ definitionHash: '', nextAt, policies: { misfire, misfireThresholdMs: 0 } },
  };
}
