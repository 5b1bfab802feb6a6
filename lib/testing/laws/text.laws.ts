import assert from 'node:assert/strict';
import type { JsonValue } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  fireOne,
  jobOf,
  minute,
  only,
  ref,
  settle,
  startWorker,
} from './fixture.js';

const trickyTexts = [
  '',
  ' ',
  ' leading and trailing ',
  "Robert'); drop table run; --",
  'back\\slash "quotes" `ticks` $1 ${x} %s',
  'line\nbreak\r\ntab\t',
  'null',
  '{"looks":"like JSON"}',
  'Grüße, 안녕하세요, שלום, नमस्ते, 👩‍👩‍👧‍👦 🇰🇷',
  'a\u0301 is not \u00e1',
  '\u2028\u2029\u200b\ufeff\u0001\u001f\u007f',
];

export const textLaws = lawsOf('text', {
  'stores text exactly, in every field that holds any': async ({ storage }) => {
    const worker = await startWorker(storage);
    for (const [index, text] of trickyTexts.entries()) {
      const id = `job-${index} ${text}`;
      const given = { id, name: text, payload: text, metadata: { [text]: text } };
      await addOneOff(storage, given);
      const { name, payload, metadata } = await jobOf(storage, id);
      assert.deepEqual({ id, name, payload, metadata }, given);
      const run = await claimOne(storage, worker);
      assert.equal(run.jobId, id);
      assert.equal(run.payload, text);
      await settle(storage, run, { outcome: 'failed', error: text, result: { text } });
      const attempt = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.equal(attempt.jobId, id);
      assert.equal(attempt.error, text);
      assert.deepEqual(attempt.result, { text });
    }
  },

  'tells apart ids that look alike': async ({ storage }) => {
    const ids = [
      'job',
      'Job',
      'job ',
      ' job',
      'jo\u0062\u0301',
      'j\u00f3b',
      'jo\u0301b',
      'ｊob',
      'job/1',
      'job%',
    ];
    for (const id of ids) await addRecurring(storage, { id, payload: id });
    for (const id of ids) assert.equal((await jobOf(storage, id)).payload, id);
    assert.equal(await storage.countJobs({}), ids.length);
  },

  'finds handlers and queues by their exact names': async ({ storage }) => {
    const handler = "Größe.of('x') 🚀";
    await addOneOff(storage, { handler, queue: 'slow "queue"' });
    const near = await startWorker(storage, { handlers: [`${handler} `], queues: ['slow "queue"'] });
    assert.deepEqual((await storage.claim(near, 10)).runs, []);
    const exact = await startWorker(storage, { handlers: [handler], queues: ['slow "queue"'] });
    assert.equal((await claimOne(storage, exact)).handler, handler);
  },

  'carries a payload of 1 MiB': async ({ storage }) => {
    const payload = { blob: 'é'.repeat(2 ** 19 - 100), end: true };
    await addOneOff(storage, { payload });
    assert.deepEqual((await jobOf(storage)).payload, payload);
    const worker = await startWorker(storage);
    assert.deepEqual((await claimOne(storage, worker)).payload, payload);
  },

  'carries JSON of any shape': async ({ storage }) => {
    let deep: JsonValue = 'bottom';
    for (let depth = 0; depth < 300; depth++) deep = depth % 2 === 0 ? [deep] : { in: deep };
    const payloads: JsonValue[] = [
      null,
      true,
      0,
      -1.5e-7,
      0.1,
      9_007_199_254_740_991,
      1.7976931348623157e308,
      'text',
      [],
      {},
      [[], [null, [{}]]],
      { a: null, '': { '': '' }, constructor: 1, toString: 'x', 'a.b': { 'c/d': [1] } },
      deep,
    ];
    const worker = await startWorker(storage);
    for (const payload of payloads) {
      await addRecurring(storage, { payload });
      assert.deepEqual((await jobOf(storage)).payload, payload);
      assert.deepEqual((await fireOne(storage, worker)).payload, payload);
      await storage.deleteJob(ref('job'));
    }
  },

  'gives away copies: what callers change stays unchanged in the storage': async ({ storage }) => {
    const payload = { list: [1] };
    await addRecurring(storage, { payload, metadata: { tag: 'a' }, dueInMs: minute });
    payload.list.push(2);
    const job = await jobOf(storage);
    (job.payload as { list: number[] }).list.push(3);
    job.metadata.tag = 'b';
    job.nextRunAt?.setTime(0);
    const again = await jobOf(storage);
    assert.deepEqual(again.payload, { list: [1] });
    assert.deepEqual(again.metadata, { tag: 'a' });
    assert.notEqual(again.nextRunAt?.getTime(), 0);
  },
});
