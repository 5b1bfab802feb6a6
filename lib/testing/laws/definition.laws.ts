import assert from 'node:assert/strict';
import type {
  Definition,
  DefinitionStorage,
  NewDefinition,
  PutDefinition,
  StorageAdapter,
} from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  day,
  hour,
  only,
  pruneAll,
  ref,
  second,
  eightAtOnce,
} from './fixture.js';
import { openFlow } from './flow.fixture.js';

type Given = Partial<NewDefinition>;

/** What the laws put, where nothing else is said; the content is told by its hash. */
function definition(given: Given = {}): NewDefinition {
  const { hash = 'a', ...rest } = given;
  return {
    namespace: 'default',
    name: 'nightly',
    version: null,
    kind: 'handler',
    app: 'shop',
    source: 'api',
    spec: { handler: 'work', payload: { of: hash } },
    paramsSchema: null,
    hash,
    createdBy: null,
    ...rest,
  };
}

const nightly = { namespace: 'default', name: 'nightly' };
const other = { namespace: 'default', name: 'other' };

async function put(definitions: DefinitionStorage, given: Given = {}): Promise<PutDefinition> {
  return only(await definitions.putDefinitions([definition(given)]), 'result');
}

/** Puts these contents one after the other; returns the versions. */
async function putAll(definitions: DefinitionStorage, hashes: readonly string[]): Promise<number[]> {
  const versions: number[] = [];
  for (const hash of hashes) versions.push((await put(definitions, { hash })).definition.version);
  return versions;
}

const namesOf = (items: readonly Definition[]): string[] =>
  items.map(({ namespace, name, version }) => `${namespace}/${name}@${version}`);

async function stored(definitions: DefinitionStorage, filter = {}): Promise<string[]> {
  return namesOf((await definitions.queryDefinitions(filter, { limit: 1_000 })).items);
}

const all = { deleted: true };

/** Of storages that keep definitions. */
type Check = (
  definitions: DefinitionStorage,
  subject: StorageSubject & { others: (count: number) => Promise<DefinitionStorage[]> },
) => Promise<void>;

const definitionsOf = (storage: Pick<StorageAdapter, 'definitions'>): DefinitionStorage => {
  assert.ok(storage.definitions, 'Another adapter on the same storage should keep definitions as well.');
  return storage.definitions;
};

function withDefinitions(
  checks: Record<string, Check>,
): Record<string, (subject: StorageSubject) => Promise<void>> {
  return Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [
      name,
      async (subject: StorageSubject) => {
        const { definitions } = subject.storage;
        if (definitions === undefined) return;
        const others = async (count: number): Promise<DefinitionStorage[]> =>
          (await Promise.all(Array.from({ length: count }, subject.open))).map(definitionsOf);
        await check(definitions, { ...subject, others });
      },
    ]),
  );
}

export const definitionLaws = lawsOf(
  'definitions',
  withDefinitions({
    'are kept as they are, the first as version 1': async (definitions, { storage }) => {
      const given = definition({
        kind: 'workflow',
        source: 'code',
        spec: { z: [1, { deep: [null, true] }], a: 'ä "quoted" \\ text', '': {} },
        paramsSchema: { type: 'object', properties: { 'a b': { type: 'string' } } },
        createdBy: 'ada',
      });
      const before = await storage.now();
      const { status, definition: made } = only(await definitions.putDefinitions([given]), 'result');
      assert.equal(status, 'created');
      const { createdAt, ...rest } = made;
      assert.deepEqual(rest, { ...given, version: 1, deletedAt: null });
      assertNear(createdAt.getTime(), before, 'when it was created');
      assert.deepEqual(await definitions.getDefinition(nightly, null), made);
      assert.deepEqual(await definitions.getDefinition(nightly, 1), made);
      assert.equal(await definitions.getDefinition(nightly, 2), null);
      assert.equal(await definitions.getDefinition(other, null), null);
      assert.deepEqual(Object.keys((await definitions.getDefinition(nightly, 1))!.spec), ['z', 'a', '']);
    },

    'get another version for other content, and the one they have for the same': async (definitions) => {
      assert.deepEqual(await putAll(definitions, ['a', 'a', 'b', 'b', 'a']), [1, 1, 2, 2, 3]);
      const again = await put(definitions, { hash: 'a', createdBy: 'eve' });
      assert.equal(again.status, 'existing');
      assert.equal(again.definition.createdBy, null);
      const first = await definitions.getDefinition(nightly, 1);
      assert.deepEqual(first!.spec, definition({ hash: 'a' }).spec);
      assert.equal((await definitions.getDefinition(nightly, null))!.version, 3);
    },

    'are the same as any version that lives where that is asked for': async (definitions) => {
      await putAll(definitions, ['a', 'b', 'c']);
      const back = await put(definitions, { hash: 'a', sameAs: 'any' });
      assert.deepEqual([back.status, back.definition.version], ['existing', 1]);
      await definitions.deleteDefinition(nightly, 1);
      const anew = await put(definitions, { hash: 'a', sameAs: 'any' });
      assert.deepEqual([anew.status, anew.definition.version], ['created', 4]);
    },

    'take the version that is given, once': async (definitions) => {
      const seventh = await put(definitions, { version: 7 });
      assert.deepEqual([seventh.status, seventh.definition.version], ['created', 7]);
      assert.equal((await put(definitions, { version: 7 })).status, 'existing');
      const taken = await put(definitions, { version: 7, hash: 'b' });
      assert.deepEqual([taken.status, taken.definition], ['conflict', seventh.definition]);
      assert.equal((await put(definitions, { version: 3, hash: 'b' })).status, 'created');
      assert.equal((await definitions.getDefinition(nightly, null))!.version, 7);
      assert.equal((await put(definitions, { hash: 'b' })).definition.version, 8);
      assert.deepEqual(await stored(definitions), [
        'default/nightly@3',
        'default/nightly@7',
        'default/nightly@8',
      ]);
    },

    'that are deleted are found by their number only, which is given to no other': async (
      definitions,
      { clock },
    ) => {
      await putAll(definitions, ['a', 'b', 'c']);
      await clock.advance(hour);
      assert.equal(await definitions.deleteDefinition(nightly, 3), 1);
      assert.equal(await definitions.deleteDefinition(nightly, 3), 0);
      assert.equal(await definitions.deleteDefinition(nightly, 9), 0);
      assert.equal(await definitions.deleteDefinition(other, null), 0);
      assert.equal((await definitions.getDefinition(nightly, null))!.version, 2);
      const gone = (await definitions.getDefinition(nightly, 3))!;
      assert.ok(gone.deletedAt!.getTime() >= gone.createdAt.getTime() + hour);
      assert.equal((await put(definitions, { version: 3, hash: 'c' })).status, 'conflict');
      assert.equal((await put(definitions, { hash: 'c' })).definition.version, 4);
      assert.equal(await definitions.deleteDefinition(nightly, null), 3);
      assert.equal(await definitions.getDefinition(nightly, null), null);
      assert.deepEqual((await definitions.getDefinition(nightly, 3))!.deletedAt, gone.deletedAt);
      assert.equal((await put(definitions, { hash: 'c' })).definition.version, 5);
    },

    'have names of their own in each namespace': async (definitions) => {
      const names = ['a', 'A', "it's; drop table definition --", 'ä "quoted" \\ name', '{a,b}'];
      for (const namespace of ['default', 'Tenant "b"'])
        for (const name of names) {
          const made = await put(definitions, { namespace, name, hash: `${namespace} ${name}` });
          assert.deepEqual([made.status, made.definition.version], ['created', 1]);
        }
      for (const name of names) {
        const found = await definitions.getDefinition({ namespace: 'Tenant "b"', name }, null);
        assert.equal(found!.hash, `Tenant "b" ${name}`);
      }
      assert.equal(await definitions.deleteDefinition({ namespace: 'default', name: 'a' }, null), 1);
      assert.equal((await stored(definitions)).length, 9);
    },

    'are put in bulk, with a result for each in their order': async (definitions) => {
      await put(definitions, { hash: 'old' });
      const results = await definitions.putDefinitions([
        definition({ name: 'other', hash: 'x' }),
        definition({ hash: 'old' }),
        definition({ name: 'other', hash: 'y' }),
        definition({ name: 'other', hash: 'y' }),
        definition({ version: 1, hash: 'new' }),
        definition({ namespace: 'b', hash: 'x' }),
      ]);
      assert.deepEqual(
        results.map(({ status, definition: { namespace, name, version, hash } }) => [
          status,
          `${namespace}/${name}@${version}`,
          hash,
        ]),
        [
          ['created', 'default/other@1', 'x'],
          ['existing', 'default/nightly@1', 'old'],
          ['created', 'default/other@2', 'y'],
          ['existing', 'default/other@2', 'y'],
          ['conflict', 'default/nightly@1', 'old'],
          ['created', 'b/nightly@1', 'x'],
        ],
      );
      assert.deepEqual(await definitions.putDefinitions([]), []);
    },

    'that several put at once are one version': async (definitions, { others }) => {
      const adapters = await others(8);
      for (let round = 0; round < 10; round++) {
        const hash = `round ${round}`;
        const results = await Promise.all(adapters.map((each) => put(each, { hash })));
        assert.deepEqual(
          results.map(({ definition: { version } }) => version),
          adapters.map(() => round + 1),
        );
        assert.equal(results.filter(({ status }) => status === 'created').length, 1);
      }
    },

    'with other content that are put at once all get a number': async (definitions, { storage, open }) => {
      const adapters = await Promise.all(Array.from({ length: 8 }, open));
      assert.ok(storage.definitions);
      const results = await eightAtOnce(adapters, (adapter, nth) =>
        definitionsOf(adapter).putDefinitions(
          // In opposite orders, which must not make them wait for each other for ever.
          ['nightly', 'other', 'third']
            .toSorted(() => (nth % 2 === 0 ? 1 : -1))
            .map((name) => definition({ name, hash: `${nth}` })),
        ),
      );
      const made = results.flat().map(({ definition: each }) => each);
      assert.deepEqual(new Set(namesOf(made)).size, 24);
      const versions = made.map(({ version }) => version).toSorted((a, b) => a - b);
      assert.deepEqual(
        versions,
        Array.from({ length: 24 }, (_, nth) => Math.floor(nth / 3) + 1),
      );
    },

    'are read in pages, by what is asked for': async (definitions) => {
      const hashes = ['x', 'y'];
      for (const hash of hashes) {
        for (const name of ['b', 'a', '\u{ffff}', '\u{10000}']) await put(definitions, { name, hash });
        await put(definitions, { namespace: 'B', hash, kind: 'workflow', app: 'office' });
      }
      await definitions.deleteDefinition({ namespace: 'default', name: 'a' }, 2);
      const order = [
        'B/nightly@1',
        'B/nightly@2',
        'default/a@1',
        'default/a@2',
        'default/b@1',
        'default/b@2',
      ];
      for (const name of ['\u{ffff}', '\u{10000}'])
        for (const nth of [1, 2]) order.push(`default/${name}@${nth}`);
      const living = order.filter((each) => each !== 'default/a@2');
      const pages: string[] = [];
      for (let cursor: string | null = null; ;) {
        const page = await definitions.queryDefinitions({}, { limit: 2, ...(cursor !== null && { cursor }) });
        assert.ok(page.items.length > 0 && page.items.length <= 2);
        pages.push(...namesOf(page.items));
        cursor = page.cursor;
        if (cursor === null) break;
      }
      assert.deepEqual(pages, living);
      assert.deepEqual(await stored(definitions, all), order);
      assert.deepEqual(
        await stored(definitions, { latest: true, namespace: ['default', 'none'], name: ['a', 'b'] }),
        ['default/a@1', 'default/b@2'],
      );
      assert.deepEqual(await stored(definitions, { kind: 'workflow' }), ['B/nightly@1', 'B/nightly@2']);
      assert.deepEqual(await stored(definitions, { kind: 'workflow', app: 'shop' }), []);
      assert.deepEqual(await stored(definitions, { name: "'" }), []);
      await assert.rejects(definitions.queryDefinitions({}, { cursor: '["a"]' }));
    },

    'are removed when they were deleted before the time that is given, the highest of a name last': async (
      definitions,
      { storage, clock },
    ) => {
      await putAll(definitions, ['a', 'b', 'c']);
      await put(definitions, { name: 'other' });
      await definitions.deleteDefinition(nightly, 1);
      await clock.advance(hour);
      const later = await storage.now();
      await definitions.deleteDefinition(nightly, null);
      assert.equal(await definitions.pruneDefinitions(later - 2 * hour, 10), 0);
      assert.equal(await definitions.pruneDefinitions(later - second, 10), 1);
      assert.deepEqual(await stored(definitions, all), [
        'default/nightly@2',
        'default/nightly@3',
        'default/other@1',
      ]);
      assert.equal(await definitions.pruneDefinitions(later + hour, 1), 1);
      assert.deepEqual(await stored(definitions, all), ['default/nightly@3', 'default/other@1']);
      assert.equal((await put(definitions, { hash: 'd' })).definition.version, 4);
      await definitions.deleteDefinition(nightly, null);
      for (let call = 0; call < 3; call++) await definitions.pruneDefinitions(later + hour, 10);
      assert.deepEqual(await stored(definitions, all), ['default/other@1']);
      assert.equal((await put(definitions, { hash: 'd' })).definition.version, 1);
    },

    'stay as long as a job of their namespace refers to them': async (definitions, { storage }) => {
      const refer = (version: number) => ({
        metadata: { team: 'a', chronis_definition: `nightly@${version}` },
      });
      await putAll(definitions, ['a', 'b', 'c', 'd']);
      await put(definitions, { name: 'other' });
      await addRecurring(storage, { id: 'recurring', ...refer(1) });
      await addOneOff(storage, { id: 'once', dueInMs: hour, ...refer(2) });
      await addOneOff(storage, { id: 'elsewhere', namespace: 'b', dueInMs: hour, ...refer(3) });
      await definitions.deleteDefinition(nightly, null);
      await definitions.deleteDefinition(other, null);
      const prune = async (): Promise<string[]> => {
        await definitions.pruneDefinitions((await storage.now()) + hour, 10);
        return stored(definitions, all);
      };
      assert.deepEqual(await prune(), ['default/nightly@1', 'default/nightly@2', 'default/nightly@4']);
      await storage.deleteJob(ref('recurring'));
      assert.deepEqual(await prune(), ['default/nightly@2', 'default/nightly@4']);
      await storage.deleteJob(ref('once'));
      await prune();
      assert.deepEqual(await prune(), []);
    },

    'stay as long as a flow of them is stored': async (definitions, { storage }) => {
      if (storage.flows === undefined) return;
      await putAll(definitions, ['a', 'b', 'c']);
      const { runId } = await openFlow(storage, [], { workflow: 'nightly', version: 2 });
      await openFlow(storage, [], { workflow: 'other', version: 1, job: { id: 'other' } });
      await definitions.deleteDefinition(nightly, null);
      const later = (await storage.now()) + hour;
      await definitions.pruneDefinitions(later, 10);
      assert.deepEqual(await stored(definitions, all), ['default/nightly@2', 'default/nightly@3']);
      assert.equal((await storage.flows.getFlow(runId))!.verdict, 'succeeded');
      assert.equal(await storage.flows.pruneFlows(later, 10), 2);
      await definitions.pruneDefinitions(later, 10);
      await definitions.pruneDefinitions(later, 10);
      assert.deepEqual(await stored(definitions, all), []);
    },

    'of the code stay as long as a job or a flow of any namespace refers to them': async (
      definitions,
      { storage },
    ) => {
      const acme = { namespace: 'tenant:acme' };
      await put(definitions, { source: 'code', hash: 'a' });
      await put(definitions, { source: 'code', hash: 'b' });
      await put(definitions, { source: 'code', hash: 'c' });
      await put(definitions, { name: 'other', hash: 'a' });
      const metadata = { chronis_definition: 'nightly@1' };
      await addOneOff(storage, { id: 'once', ...acme, dueInMs: hour, metadata });
      await addOneOff(storage, {
        id: 'else',
        ...acme,
        dueInMs: hour,
        metadata: { chronis_definition: 'other@1' },
      });
      const opened = { workflow: 'nightly', version: 2, job: { id: 'flow', ...acme } };
      if (storage.flows !== undefined) await openFlow(storage, [], opened);
      await definitions.deleteDefinition(nightly, null);
      await definitions.deleteDefinition(other, null);
      const later = (await storage.now()) + hour;
      await definitions.pruneDefinitions(later, 10);
      const ofFlow = storage.flows === undefined ? [] : ['default/nightly@2'];
      assert.deepEqual(await stored(definitions, all), ['default/nightly@1', ...ofFlow, 'default/nightly@3']);
      await storage.deleteJob({ id: 'once', ...acme });
      await storage.flows?.pruneFlows(later, 10);
      await definitions.pruneDefinitions(later, 10);
      await definitions.pruneDefinitions(later, 10);
      assert.deepEqual(await stored(definitions, all), []);
    },

    'that are deleted go when the record of their time goes': async (definitions, { storage, clock }) => {
      await putAll(definitions, ['a', 'b']);
      await definitions.deleteDefinition(nightly, 1);
      await clock.advance(day);
      await pruneAll(storage, {}, 2 * day);
      assert.deepEqual(await stored(definitions, all), ['default/nightly@1', 'default/nightly@2']);
      await clock.advance(2 * day);
      await pruneAll(storage, {}, 2 * day);
      assert.deepEqual(await stored(definitions, all), ['default/nightly@2']);
    },

    "are part of a caller's transaction": async (definitions, { storage, transaction }) => {
      if (transaction === undefined) return;
      const within = async (
        manager: Parameters<Parameters<typeof transaction>[0]>[0],
      ): Promise<DefinitionStorage> => {
        const joined = await storage.joined?.(manager);
        assert.ok(joined?.definitions, 'What joins a transaction should keep definitions as well.');
        return joined.definitions;
      };
      await put(definitions);
      await assert.rejects(
        transaction(async (manager) => {
          const mine = await within(manager);
          assert.equal((await put(mine, { hash: 'b' })).definition.version, 2);
          assert.equal((await put(mine, { hash: 'b' })).status, 'existing');
          assert.equal(await mine.deleteDefinition(nightly, 1), 1);
          assert.deepEqual(await stored(mine), ['default/nightly@2']);
          assert.deepEqual(await stored(definitions), ['default/nightly@1']);
          throw new Error('rolled back');
        }),
        /rolled back/,
      );
      assert.deepEqual(await stored(definitions), ['default/nightly@1']);
      await transaction(async (manager) => void (await put(await within(manager), { hash: 'c' })));
      assert.deepEqual(await stored(definitions), ['default/nightly@1', 'default/nightly@2']);
      assert.equal((await definitions.getDefinition(nightly, null))!.hash, 'c');
    },
  }),
);
