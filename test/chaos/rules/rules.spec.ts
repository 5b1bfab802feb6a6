import { describe, expect, test } from 'vitest';
import type { Evidence, LedgerRow, LoopNote } from '../evidence.js';
import { at, evidence, execution, fault, found, row, start } from './given.evidence.js';
import { rules } from './rules.js';

describe('the rules of the chaos test', () => {
  test('find nothing where all is well', () => {
    expect(found({})).toEqual([]);
  });

  test('find a second execution of what is executed at most once, unless the first may be forgotten', () => {
    const jobId = 'plain-abandon';
    const executions = [execution({ jobId }), execution({ jobId, pid: 8, beganAt: at(3), endedAt: null })];
    const attempts = [row({ jobId })];
    expect(found({ executions, attempts })).toEqual(['executed twice with recovery: abandon']);
    const faults = [fault({ kind: 'failover-lossy', at: at(2), lostFrom: at(0.5), until: at(2.5) })];
    expect(found({ executions, attempts, faults })).toEqual([]);
  });

  test('find a start before its time', () => {
    const executions = [execution({ beganAt: at(0.99) })];
    expect(found({ executions, attempts: [] })).toEqual(['begun before their time']);
    expect(found({ executions, attempts: [], sameClock: false })).toEqual([]);
  });

  test('find a run id that named two occurrences', () => {
    const executions = [execution(), execution({ jobId: 'plain-slow' })];
    expect(found({ executions, attempts: [row()] })).toEqual(['run ids of two occurrences']);
  });

  test('find a verdict that no execution came to', () => {
    const executions = [execution()];
    const notOfIts = (change: Partial<LedgerRow>) => found({ executions, attempts: [row(change)] });
    expect(notOfIts({ jobId: 'plain-slow' })).toEqual(['verdicts of another execution']);
    expect(notOfIts({ pid: 8 })).toEqual(['verdicts of another execution']);
    expect(notOfIts({ attempt: 2 })).toEqual(['verdicts of another execution']);
    expect(notOfIts({ finishedAt: at(9) })).toEqual(['verdicts of another execution']);
    expect(notOfIts({ outcome: 'lost', pid: 8 })).toEqual([]);
  });

  test('find a job that stood still, unless nobody could work or its own rows were held', () => {
    const late = {
      executions: [execution({ beganAt: at(10), endedAt: at(10.1) })],
      attempts: [row({ startedAt: at(10), finishedAt: at(10.1) })],
    };
    const stood = ['stood still while others could work'];
    expect(found(late)).toEqual(stood);
    expect(found({ ...late, faults: [fault({ outage: true })] })).toEqual([]);
    expect(found({ ...late, faults: [fault({ kind: 'lock-rows', jobs: ['plain-quick'] })] })).toEqual([]);
    expect(found({ ...late, faults: [fault({ kind: 'lock-rows', jobs: ['plain-slow'] })] })).toEqual(stood);
    expect(found({ ...late, faults: [fault({ kind: 'freeze', pid: 7 })] })).toEqual(stood);
  });

  test('excuse what stood still while nothing turned in any worker that was well', () => {
    const late = {
      executions: [execution({ beganAt: at(12), endedAt: at(12.1) })],
      attempts: [row({ startedAt: at(12), finishedAt: at(12.1) })],
    };
    const stood = ['stood still while others could work'];
    const asleep = { pid: 7, from: at(0), stalls: [{ from: at(1), until: at(6) }] };
    expect(found({ ...late, loops: [asleep] })).toEqual([]);
    expect(found({ ...late, loops: [asleep, { pid: 8, from: at(0), stalls: [] }] })).toEqual(stood);
    const frozen = fault({ kind: 'freeze', pid: 8, at: at(1), until: at(5) });
    expect(
      found({ ...late, loops: [asleep, { pid: 8, from: at(0), stalls: [] }], faults: [frozen] }),
    ).toEqual([]);
    const dead = fault({ kind: 'kill', pid: 8, at: at(1), until: at(1) });
    expect(found({ ...late, loops: [asleep, { pid: 8, from: at(0), stalls: [] }], faults: [dead] })).toEqual(
      [],
    );
  });

  test('excuse what stood still for a while as the only worker left made room for a last try', () => {
    const oneOff = { jobId: 'plain-one-off-1' };
    const loss = (second: number) =>
      row({ runId: '9', jobId: 'plain-one-off-2', outcome: 'lost', final: false, finishedAt: at(second) });
    const ended = row({ runId: '9', jobId: 'plain-one-off-2', startedAt: at(25), finishedAt: at(25) });
    const lastTry = [loss(-4), { ...loss(0), fence: 2 }, { ...ended, fence: 3 }];
    const loop = (pid: number) => ({ pid, from: at(-9), stalls: [{ from: at(40), until: at(41) }] });
    const begunAt = (second: number, others: LedgerRow[], ...loops: LoopNote[]) =>
      found({
        executions: [
          execution({ ...oneOff, beganAt: at(second), endedAt: at(second) }),
          execution({ runId: '9', jobId: 'plain-one-off-2', beganAt: at(25), endedAt: at(25), attempt: 3 }),
        ],
        attempts: [row({ ...oneOff, startedAt: at(second), finishedAt: at(second) }), ...others],
        loops,
      }).filter((name) => name === stood);
    const stood = 'stood still while others could work';
    expect(begunAt(12, lastTry, loop(7))).toEqual([]);
    expect(begunAt(20, lastTry, loop(7))).toEqual([stood]);
    expect(begunAt(12, lastTry, loop(7), loop(8))).toEqual([stood]);
    expect(begunAt(12, lastTry.slice(1), loop(7))).toEqual([stood]);
    const elsewhere = lastTry.map((one) => ({ ...one, jobId: 'plain-slow' }));
    expect(begunAt(12, elsewhere, loop(7))).toEqual([stood]);
    const earlier = lastTry.map((one) => ({ ...one, finishedAt: one.finishedAt - 24_000 }));
    expect(begunAt(12, earlier, loop(7))).toEqual([stood]);
  });

  test('excuse what stood still in the hands of a worker to which something was done, and nothing longer', () => {
    const late = {
      executions: [execution({ beganAt: at(12), endedAt: at(12.1) })],
      attempts: [row({ fence: 2, startedAt: at(12), finishedAt: at(12.1) })],
      faults: [fault({ kind: 'swallow', pid: 8, at: at(1), until: at(2) })],
    };
    const seen = { runId: '1', jobId: 'plain-quick', fence: 1, firstAt: at(1.5) };
    const stood = ['stood still while others could work'];
    expect(found({ ...late, sightings: [{ ...seen, pid: 8, lastAt: at(6) }] })).toEqual([]);
    expect(found({ ...late, sightings: [{ ...seen, pid: 8, lastAt: at(3) }] })).toEqual(stood);
    expect(found({ ...late, sightings: [{ ...seen, pid: 9, lastAt: at(6) }] })).toContain(stood[0]);
  });

  test('find what was not taken up soon after its worker had died, a while later only after a second death', () => {
    const loss = (fence: number, from: number, until: number): LedgerRow =>
      row({ outcome: 'lost', final: false, fence, startedAt: at(from), finishedAt: at(until) });
    const begun = (second: number) => [execution({ beganAt: at(second), endedAt: at(second) })];
    const last = (second: number): LedgerRow =>
      row({ fence: 9, startedAt: at(second), finishedAt: at(second) });
    const stood = ['stood still while others could work'];
    expect(found({ executions: begun(8), attempts: [loss(1, 1, 4), last(8)] })).toEqual([]);
    expect(found({ executions: begun(10), attempts: [loss(1, 1, 4), last(10)] })).toEqual(stood);
    const twice = [loss(1, 1, 4), loss(2, 5, 8)];
    expect(found({ executions: begun(40), attempts: [...twice, last(40)] })).toEqual([]);
    expect(found({ executions: begun(44), attempts: [...twice, last(44)] })).toEqual(stood);
  });

  test('find what stays in the hands of one that is done with it, never began it, or is dead', () => {
    const seen = { runId: '1', fence: 1, jobId: 'plain-quick', pid: 7, firstAt: at(1), lastAt: at(12) };
    const kept = ['kept in hands'];
    expect(found({ sightings: [seen] })).toEqual(kept);
    expect(found({ sightings: [{ ...seen, lastAt: at(5) }] })).toEqual([]);
    expect(found({ sightings: [{ ...seen, runId: '77' }] })).toEqual(kept);
    const open = [execution({ endedAt: null, ended: null })];
    const attempts = [row({ outcome: 'lost' })];
    expect(found({ sightings: [seen], executions: open, attempts })).toEqual([]);
    const kill = fault({ kind: 'kill', pid: 7, at: at(2), until: at(2) });
    expect(found({ sightings: [seen], executions: open, attempts, faults: [kill] })).toEqual([]);
    const longer = [{ ...seen, lastAt: at(16) }];
    expect(found({ sightings: longer, executions: open, attempts, faults: [kill] })).toEqual(kept);
    expect(found({ sightings: [seen], faults: [fault({ kind: 'freeze', pid: 7 })] })).toEqual([]);
  });

  const trigger = { type: 'interval', every: 1_000, anchor: new Date(start).toISOString() } as const;
  const change = {
    jobId: 'managed-0',
    call: 'createIntervalJob',
    askedAt: at(0),
    askedLastAt: at(0),
    confirmedAt: at(0.2),
    trigger,
    paused: false,
  };

  test('find an instant without a verdict while a definition was in force for certain', () => {
    const changes = [change, { ...change, askedAt: at(2.9), confirmedAt: at(3.2), trigger: null }];
    const missing = ['instants without a verdict over changes'];
    expect(found({ changes })).toEqual(missing);
    const first = row({ runId: '5', jobId: 'managed-0', outcome: 'failed' });
    expect(found({ changes, attempts: [first] })).toEqual(missing);
    const gaps = [{ jobId: 'managed-0', from: at(2), until: at(2) }];
    expect(found({ changes, attempts: [first], gaps })).toEqual([]);
    // Nobody knows on which side of a change under way an instant fell.
    const [made, removed] = changes;
    expect(found({ changes: [made!, { ...removed!, askedAt: at(1.02) }], attempts: [first] })).toEqual([]);
  });

  test('excuse a start after a confirmed pause for as long as its process could notice nothing', () => {
    const pause = { ...change, askedAt: at(1.1), askedLastAt: at(1.1), confirmedAt: at(1.2), paused: true };
    const executions = [execution({ jobId: 'managed-0', beganAt: at(1.5) })];
    const gaps = [{ jobId: 'managed-0', from: at(0), until: null }];
    const loop = (from: number, until: number) => [
      { pid: 7, from: at(0), stalls: [{ from: at(from), until: at(until) }] },
    ];
    const given = { executions, gaps, attempts: [], changes: [pause] };
    expect(found({ ...given, loops: loop(1, 1.48) })).toEqual([]);
    expect(found({ ...given, loops: loop(1, 1.4) })).toEqual(['begun after a confirmed pause or delete']);
    expect(found({ ...given, proxyStalls: [{ from: at(1), until: at(1.48) }] })).toEqual([]);
  });

  test('find a start after a confirmed pause and before the resume was asked for', () => {
    const pause = { ...change, askedAt: at(1.1), askedLastAt: at(1.1), confirmedAt: at(1.2), paused: true };
    const resume = { ...change, askedAt: at(1.9), confirmedAt: at(2) };
    const executions = [execution({ jobId: 'managed-0', beganAt: at(1.4) })];
    const gaps = [{ jobId: 'managed-0', from: at(0), until: null }];
    const given = { executions, gaps, attempts: [] };
    expect(found({ ...given, changes: [pause, resume] })).toEqual([
      'begun after a confirmed pause or delete',
    ]);
    expect(found({ ...given, changes: [pause, { ...resume, askedAt: at(1.3) }] })).toEqual([]);
    expect(found({ ...given, changes: [{ ...pause, paused: false, trigger: null }, resume] })).toEqual([
      'begun after a confirmed pause or delete',
    ]);
  });

  const paused = {
    ...change,
    call: 'pauseJob',
    askedAt: at(1.1),
    askedLastAt: at(1.15),
    confirmedAt: at(1.2),
    paused: true,
  };
  const begunAfter = ['begun after a confirmed pause or delete'];
  const begunAt = (second: number, given: Partial<Evidence>) =>
    found({
      executions: [execution({ jobId: 'managed-0', beganAt: at(second) })],
      gaps: [{ jobId: 'managed-0', from: at(0), until: null }],
      attempts: [],
      changes: [paused],
      ...given,
    });

  test('excuse a start after a pause that its process was not told of, but not of what it was handed out later', () => {
    const deaf = { pid: 7, from: at(1.18), until: at(9) };
    expect(begunAt(1.5, { deaf: [deaf] })).toEqual([]);
    expect(begunAt(2.2, { deaf: [deaf] })).toEqual([]);
    expect(begunAt(2.3, { deaf: [deaf] })).toEqual(begunAfter);
    expect(begunAt(1.5, { deaf: [{ ...deaf, pid: 8 }] })).toEqual(begunAfter);
    expect(begunAt(1.5, { deaf: [{ ...deaf, from: at(1), until: at(1.1) }] })).toEqual(begunAfter);
    expect(begunAt(1.5, { deaf: [{ ...deaf, from: at(1.3) }] })).toEqual(begunAfter);
    const faults = (second: number) => [
      fault({ kind: 'swallow', pid: 7, at: at(second), until: at(second + 10) }),
    ];
    expect(begunAt(1.5, { faults: faults(-25) })).toEqual([]);
    expect(begunAt(2.3, { faults: faults(-25) })).toEqual(begunAfter);
    expect(begunAt(1.5, { faults: faults(-35) })).toEqual(begunAfter);
    expect(begunAt(1.5, { faults: [{ ...faults(-25)[0]!, kind: 'cut' }] })).toEqual(begunAfter);
  });

  test('tell of a start after a pause all that may explain it', () => {
    const barrier = rules.find(({ name }) => name === begunAfter[0])!;
    const given = evidence({
      executions: [execution({ jobId: 'managed-0', nominalAt: at(1.5), beganAt: at(1.5) })],
      attempts: [row({ jobId: 'managed-0', nominalAt: at(1.5), startedAt: at(1.5), finishedAt: at(1.6) })],
      sightings: [{ runId: '1', fence: 1, jobId: 'managed-0', pid: 7, firstAt: at(1.4), lastAt: at(1.4) }],
      changes: [paused],
      faults: [
        fault({ at: at(-6), until: at(-5) }),
        fault({ kind: 'swallow', pid: 7, at: at(-34), until: at(-24) }),
        fault({ kind: 'cut', pid: 8 }),
      ],
      deaf: [{ pid: 7, from: at(-3.5), until: at(-3) }],
      silences: [{ pid: 7, from: at(0), until: at(0.4) }],
      loops: [{ pid: 7, from: at(-60), stalls: [{ from: at(1.2), until: at(1.24) }] }],
    });
    expect(barrier.find(given)).toEqual([
      `managed-0 run 1, 300 ms after
    pauseJob asked 00:00:01.100, last 00:00:01.150, confirmed 00:00:01.200
    attempt 1 of 00:00:01.500 begun 00:00:01.500 by 7
    seen with fence 1 in 7 00:00:01.400 to 00:00:01.400
    fence 1 in 7 as w7 00:00:01.500 to 00:00:01.600: succeeded
    restart 23:59:54.000 to 23:59:55.000
    swallow of 7 23:59:26.000 to 23:59:36.000
    deaf 23:59:56.500 to 23:59:57.000
    deaf 23:59:26.000 to 23:59:58.000
    no answer 00:00:00.000 to 00:00:00.400
    no turn 00:00:01.200 to 00:00:01.240`,
    ]);
  });

  test('find a job of every second that was silent after a leap of the clock, unless a worker that started then was misled', () => {
    const silent = ['silent after a leap of the clock'];
    const seconds = (from: number, until: number) =>
      Array.from({ length: until - from }, (_, n) =>
        ['plain-quick', 'unique-quick', 'plain-cron'].map((jobId) =>
          execution({ jobId, nominalAt: at(from + n), beganAt: at(from + n), endedAt: at(from + n) }),
        ),
      ).flat();
    const leap = fault({ kind: 'clock', at: at(3), until: at(6), outage: true });
    const given = {
      attempts: [],
      sameClock: false,
      period: { startAt: at(0), endAt: at(20) },
      faults: [leap],
    };
    expect(found({ ...given, executions: [...seconds(0, 3), ...seconds(9, 20)] })).not.toContain(silent[0]);
    expect(found({ ...given, executions: [...seconds(0, 3), ...seconds(12, 20)] })).toContain(silent[0]);
    const upToTheEnd = { ...given, executions: seconds(0, 6) };
    expect(found(upToTheEnd)).toContain(silent[0]);
    // As it is where it was ahead, and was believed.
    const later = execution({ nominalAt: at(3_600), beganAt: at(12), endedAt: at(12) });
    expect(found({ ...upToTheEnd, executions: [...upToTheEnd.executions, later] })).toContain(silent[0]);
    expect(found({ ...upToTheEnd, loops: [{ pid: 8, from: at(5), stalls: [] }] })).not.toContain(silent[0]);
    expect(found({ ...upToTheEnd, loops: [{ pid: 8, from: at(1), stalls: [] }] })).toContain(silent[0]);
  });
});
