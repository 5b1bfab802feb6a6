import { expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { JobLists } from '../../lib/discovery/job.lists.js';
import { JobSynchronizer } from '../../lib/discovery/job.synchronizer.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob } from '../../lib/scheduler/job.definition.js';
import { registrationOf } from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { ReturningStorage } from '../support/returning.storage.js';

const minute = 60_000;
const rules = {
  ...{ app: 'shop', previousApps: [], calendars: {}, lists: new JobLists() },
  ...{ orphans: 'keep' as const, orphanGraceMs: 10 * minute },
};

function declared(id: string, now: number): DeclaredJob {
  const definition = defineJob(
    { id, handler: id, trigger: { type: 'cron', expression: '0 * * * *' }, options: {} },
    { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} },
    now,
  );
  return { definition, hash: definitionHash(definition), previousIds: [], place: `${id}.run` };
}

/** What processes of one release after the other do with a storage that goes back to before the first. */
class Release {
  readonly synchronizer: JobSynchronizer;
  workerId = '';

  constructor(
    private readonly returning: ReturningStorage,
    clock: ManualClock,
    jobs: DeclaredJob[],
  ) {
    const { storage } = returning;
    this.synchronizer = new JobSynchronizer(
      {
        storage,
        lock: storage.lock,
        clock,
        events: new ChronisEvents(),
        random: () => 0,
        lists: new JobLists(),
        explore: () => ({
          jobs,
          handlers: [],
          workflows: [],
          repeated: [],
          unapplied: [],
          unmarked: [],
          minified: [],
        }),
        workerId: () => this.workerId,
        onChange: () => undefined,
      },
      rules,
    );
  }

  async enroll(workerId: string): Promise<void> {
    this.workerId = workerId;
    await this.synchronizer.enroll(registrationOf({ id: workerId, app: 'shop' }), 60 * minute);
  }

  /** As the engine does after it has lost its lease: with the number that it knows. */
  async comeBack(workerId: string): Promise<void> {
    this.workerId = workerId;
    const { generation } = this.synchronizer;
    const worker = registrationOf({ id: workerId, app: 'shop', generation });
    await this.returning.storage.register(worker, 60 * minute);
    this.synchronizer.follow();
  }
}

test.each([
  ['by one worker alone', false],
  ['beside another process that has told its set already', true],
])(
  'a set whose number a storage that went back has given to another one gets a new one: %s',
  async (_, beside) => {
    const clock = new ManualClock();
    const returning = new ReturningStorage({ clock });
    const [a, b] = [[declared('a', clock.now())], [declared('b', clock.now())]];
    const [ours, theirs, another] = [
      new Release(returning, clock, a),
      new Release(returning, clock, b),
      new Release(returning, clock, a),
    ];
    returning.keep();
    await ours.enroll('ours');
    returning.goBack();
    await theirs.enroll('theirs');
    expect(theirs.synchronizer.generation).toBe(ours.synchronizer.generation);
    if (beside) await another.enroll('beside');
    await ours.comeBack('ours-again');
    await clock.advanceBy(1_000);
    const workers = await returning.storage.queryWorkers();
    const ofApp = Object.fromEntries(workers.map(({ id, generation }) => [id, generation]));
    expect(ofApp['ours-again']).toBe(ours.synchronizer.generation);
    expect(ofApp['ours-again']).not.toBe(ofApp['theirs']);
    if (beside) expect(ofApp['ours-again']).toBe(ofApp['beside']);
    for (const id of ['a', 'b']) {
      expect(await returning.storage.getJob({ namespace: 'default', id })).toMatchObject({
        orphanedAt: null,
      });
    }
    for (const release of [ours, theirs, another]) await release.synchronizer.end();
  },
);
