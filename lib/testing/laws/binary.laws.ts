import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { binaryKeptMs, binaryUseMs, type BinaryStorage, type StorageAdapter } from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  eightAtOnce,
  hour,
  pruneAll,
  ref,
  settle,
  startWorker,
} from './fixture.js';
import { openFlow, step } from './flow.fixture.js';

/** Bytes of all kinds, others for each seed. */
function program(seed: number, size = 1_000): { sha256: string; bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7 + seed) % 256);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
}

const first = program(1);
const second = program(2);
const handler = 'task:binary';
const payload = { sha256: first.sha256, args: ['x'] };

type Check = (binaries: BinaryStorage, subject: StorageSubject) => Promise<void>;

function withBinaries(
  checks: Record<string, Check>,
): Record<string, (subject: StorageSubject) => Promise<void>> {
  return Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [
      name,
      async (subject: StorageSubject) => {
        const { binaries } = subject.storage;
        if (binaries !== undefined) await check(binaries, subject);
      },
    ]),
  );
}

function binariesOf({ binaries }: StorageAdapter): BinaryStorage {
  assert.ok(binaries, 'Another adapter on the same storage should keep programs as well.');
  return binaries;
}

async function assertThere(binaries: BinaryStorage, why: string, of = first): Promise<void> {
  assert.deepEqual(Buffer.from((await binaries.readBinary(of.sha256)) ?? []), Buffer.from(of.bytes), why);
}

async function isThere(binaries: BinaryStorage, of = first): Promise<boolean> {
  return (await binaries.useBinary(of.sha256)) !== null;
}

/** Two days of which nobody uses it, and the janitor goes by. */
async function pass({ storage, clock }: StorageSubject): Promise<void> {
  for (let half = 0; half < 4; half++) {
    await clock.advance(binaryUseMs + hour);
    await pruneAll(storage);
  }
}

export const binaryLaws = lawsOf(
  'binaries',
  withBinaries({
    'come back byte by byte, with their size': async (binaries, { storage, open }) => {
      const before = await storage.now();
      const { storedAt, usedAt, ...rest } = await binaries.putBinary(first.sha256, first.bytes);
      assert.deepEqual(rest, { sha256: first.sha256, size: 1_000 });
      assertNear(storedAt, before, 'when it was stored');
      assert.equal(usedAt, storedAt);
      await assertThere(binaries, 'It should be there as it was given.');
      await assertThere(binariesOf(await open()), 'Others should find it.');
      assert.equal(await binaries.readBinary(second.sha256), null);
      assert.equal(await binaries.useBinary(second.sha256), null);
    },

    'may be long': async (binaries) => {
      const long = program(3, 3 * 1_048_576 + 1);
      const { size } = await binaries.putBinary(long.sha256, long.bytes);
      assert.equal(size, long.bytes.length);
      await assertThere(binaries, 'Some megabytes should come back.', long);
    },

    'may be a part of a larger piece of memory': async (binaries) => {
      const whole = new Uint8Array(3_000);
      whole.set(first.bytes, 1_000);
      await binaries.putBinary(first.sha256, whole.subarray(1_000, 2_000));
      await assertThere(binaries, 'Only the part should be stored.');
    },

    'that are stored again are the same': async (binaries, { storage, open }) => {
      const adapters = [binaries, binariesOf(await open())];
      const all = await eightAtOnce([storage, storage], async (_, nth) =>
        adapters[nth % 2]!.putBinary(first.sha256, first.bytes),
      );
      assert.equal(
        new Set(all.map(({ storedAt }) => storedAt)).size,
        1,
        'One of them should have stored it.',
      );
      await assertThere(binaries, 'It should be there once.');
    },

    'that nobody uses go after a day, and not before': async (binaries, { storage, clock }) => {
      await binaries.putBinary(first.sha256, first.bytes);
      await binaries.putBinary(second.sha256, second.bytes);
      await clock.advance(binaryKeptMs - hour);
      await pruneAll(storage);
      assert.ok(await isThere(binaries), 'It is not a day old.');
      await clock.advance(2 * hour);
      await pruneAll(storage);
      assert.ok(await isThere(binaries), 'It was used two hours ago.');
      assert.ok(!(await isThere(binaries, second)), 'Nobody has used the other one for a day.');
    },

    'that are used now and then stay': async (binaries, subject) => {
      const { storage, clock } = subject;
      await binaries.putBinary(first.sha256, first.bytes);
      const uses = [
        (): unknown => binaries.useBinary(first.sha256),
        (): unknown => binaries.readBinary(first.sha256),
        (): unknown => binaries.putBinary(first.sha256, first.bytes),
      ];
      for (const use of [...uses, ...uses]) {
        await use();
        await clock.advance(binaryKeptMs - binaryUseMs - hour);
        await pruneAll(storage);
      }
      await assertThere(binaries, 'It was used every few hours.');
      await pass(subject);
      assert.ok(!(await isThere(binaries)), 'It is not used any more.');
    },

    'that a recurring job names stay, until it is deleted': async (binaries, subject) => {
      const { storage } = subject;
      await binaries.putBinary(first.sha256, first.bytes);
      await binaries.putBinary(second.sha256, second.bytes);
      await addRecurring(storage, { handler, payload, dueInMs: 30 * 24 * hour });
      await pass(subject);
      await assertThere(binaries, 'A job needs it.');
      assert.ok(!(await isThere(binaries, second)), 'No job needs the other one.');
      await storage.deleteJob(ref('job'));
      await pass(subject);
      assert.ok(!(await isThere(binaries)), 'The job is deleted.');
    },

    'that two jobs name stay, until both are deleted': async (binaries, subject) => {
      const { storage } = subject;
      await binaries.putBinary(first.sha256, first.bytes);
      for (const id of ['one', 'two']) {
        await addRecurring(storage, { id, handler, payload, dueInMs: 30 * 24 * hour });
      }
      await storage.deleteJob(ref('one'));
      await pass(subject);
      await assertThere(binaries, 'The other job needs it.');
      await storage.deleteJob(ref('two'));
      await pass(subject);
      assert.ok(!(await isThere(binaries)), 'Both are deleted.');
    },

    'that a one-off names stay, until it has run': async (binaries, subject) => {
      const { storage } = subject;
      await binaries.putBinary(first.sha256, first.bytes);
      await addOneOff(storage, { handler, payload, dueInMs: 60 * hour });
      await pass(subject);
      await assertThere(binaries, 'The one-off is not due yet.');
      await subject.clock.advance(60 * hour);
      const worker = await startWorker(storage, { handlers: [handler] });
      await settle(storage, await claimOne(storage, worker));
      await pass(subject);
      assert.ok(!(await isThere(binaries)), 'It has run, and the ledger does not need it.');
    },

    'that a dead letter names stay for a retry': async (binaries, subject) => {
      const { storage } = subject;
      await binaries.putBinary(first.sha256, first.bytes);
      await addOneOff(storage, { handler, payload });
      const run = await claimOne(storage, await startWorker(storage, { handlers: [handler] }));
      await settle(storage, run, { outcome: 'failed', error: 'boom' });
      await pass(subject);
      await assertThere(binaries, 'It may be retried by hand.');
      await storage.discardRuns([run.id]);
      await pass(subject);
      assert.ok(!(await isThere(binaries)), 'It was discarded.');
    },

    'that a step of a workflow names stay': async (binaries, subject) => {
      const { storage } = subject;
      if (storage.flows === undefined) return;
      await binaries.putBinary(first.sha256, first.bytes);
      await openFlow(storage, [step('a', [], { handler, payload })]);
      await pass(subject);
      await assertThere(binaries, 'The step needs it.');
    },

    'that a definition names stay, also where its parameters come later': async (binaries, subject) => {
      const { definitions } = subject.storage;
      if (definitions === undefined) return;
      await binaries.putBinary(first.sha256, first.bytes);
      const [put] = await definitions.putDefinitions([
        {
          ...{
            namespace: 'default',
            name: 'nightly',
            version: null,
            kind: 'task',
            app: 'shop',
            source: 'api',
          },
          spec: { task: { type: 'binary', sha256: first.sha256, args: [{ $param: 'day' }] } },
          ...{ paramsSchema: null, hash: 'a', createdBy: null },
        },
      ]);
      assert.equal(put!.status, 'created');
      await pass(subject);
      await assertThere(binaries, 'The definition names it.');
    },
  }),
);
