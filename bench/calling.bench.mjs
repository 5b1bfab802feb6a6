// What a process does around each call of a handler, without a storage: node bench/calling.bench.mjs [FOLDER], a checkout that is built; for pairs call it in turns.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(process.argv[2] ?? `${import.meta.dirname}/..`);
const load = async (path) => {
  const module = await import(pathToFileURL(`${root}/dist/engine/${path}`).href);
  return module.default ?? module;
};
const { RunningRun } = await load('running.run.js');
const { HandlerSurroundings } = await load('chronis.interceptor.js');

const handlers = { synchronous: () => undefined, asynchronous: async () => undefined };
const phases = { 'first 20 000': 20_000, 'next 300 000': 300_000, 'last 1 000 000': 1_000_000 };
/** As many as one claim hands out. */
const together = 1_000;
const at = 1_800_000_000_000;

const claimed = {
  worker: 'worker',
  fence: 1,
  attempt: 1,
  lostCount: 0,
  missed: 0,
  origin: 'at',
  jobUid: null,
  jobId: 'job',
  jobName: null,
  namespace: 'default',
  app: 'default',
  handler: 'noop',
  queue: 'default',
  priority: 5,
  timeZone: 'UTC',
  nominalAt: at,
  dueAt: at,
  payload: null,
  metadata: {},
  policies: {},
};

let begun = 0;
let ended = 0;
const surroundings = new HandlerSurroundings();
const logger = {};
const parts = {
  clock: { setTimer: () => () => undefined },
  logger: () => logger,
  now: () => at,
  onEnded: () => void ended++,
};

async function run(count, handler) {
  const code = { name: 'noop', schema: null, rules: {}, run: (context) => surroundings.call(context, handler) };
  for (let done = 0; done < count; done += together) {
    for (let i = 0; i < together; i++) new RunningRun({ ...claimed, id: String(begun++) }, at, code, parts).begin(null);
    await new Promise((resolved) => setImmediate(resolved));
  }
  if (ended !== begun) throw new Error(`${begun} calls have begun, ${ended} have ended.`);
}

console.log('| handler | calls | CPU a call, µs |\n|---|---|---|');
for (const [kind, handler] of Object.entries(handlers)) {
  for (const [phase, count] of Object.entries(phases)) {
    const before = process.cpuUsage();
    await run(count, handler);
    const { user, system } = process.cpuUsage(before);
    console.log(`| ${kind} | ${phase} | ${((user + system) / count).toFixed(2)} |`);
  }
}
