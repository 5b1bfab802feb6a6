import { describe, expect, test } from 'vitest';
import { at, evidence, execution, fault, found, row } from './given.evidence.js';
import { innocents } from './innocents.rule.js';

const givenUp = 'given up with a poison run';

describe('the rule for the neighbours of a poison run', () => {
  const lost = row({ jobId: 'plain-one-off-3', outcome: 'lost', startedAt: at(1), finishedAt: at(4) });
  const given = { attempts: [lost], executions: [execution({ jobId: lost.jobId })] };

  test('find an innocent run that was given up, and a poison run that was not', () => {
    const lost = row({ jobId: 'plain-one-off-3', outcome: 'lost' });
    expect(found({ attempts: [lost] })).toEqual([givenUp]);
    const kill = fault({ kind: 'kill', pid: 7, at: at(1.2), until: at(1.2) });
    const given = { faults: [kill], executions: [execution({ jobId: 'plain-one-off-3' })] };
    expect(found({ ...given, attempts: [lost] })).toEqual([]);
    // Where the ledger goes by another clock, what was seen of it counts.
    const ahead = { ...lost, startedAt: at(3_600), finishedAt: at(3_601) };
    const sightings = [
      { runId: lost.runId, fence: 1, jobId: lost.jobId, pid: 7, firstAt: at(1), lastAt: at(2) },
    ];
    expect(found({ ...given, attempts: [ahead], sightings, sameClock: false })).not.toContain(givenUp);
    const executions = [execution({ jobId: lost.jobId, beganAt: at(1), endedAt: at(1.1) })];
    expect(found({ ...given, executions, attempts: [ahead], sameClock: false })).not.toContain(givenUp);
    const elsewhere = [execution({ jobId: lost.jobId, beganAt: at(90), endedAt: at(90.1) })];
    expect(found({ ...given, executions: elsewhere, attempts: [ahead], sameClock: false })).toContain(
      givenUp,
    );
    const beside = row({ runId: '2', outcome: 'lost', final: false });
    const again = row({ runId: '2', fence: 2, startedAt: at(2), finishedAt: at(2) });
    const others = [...given.executions, execution({ runId: '2', beganAt: at(2) })];
    expect(found({ ...given, executions: others, attempts: [lost, beside, again] })).toEqual([givenUp]);
    const poison = [1, 2, 3, 4].map((n) =>
      execution({ runId: '9', jobId: 'poison-1', attempt: n, endedAt: null, ended: null }),
    );
    expect(found({ executions: poison.slice(1), attempts: [] })).toEqual([]);
    expect(found({ executions: poison, attempts: [] })).toEqual([givenUp]);
  });

  test('excuses what met no harm but that of all sessions, or of a machine that had other things to do', () => {
    const setting = fault({ kind: 'role-setting', at: at(2), until: at(3) });
    expect(found({ ...given, faults: [setting] })).toEqual([]);
    expect(found({ ...given, faults: [{ ...setting, at: at(5), until: at(8) }] })).toEqual([givenUp]);
    const silence = { pid: 7, from: at(2), until: at(2.8) };
    expect(found({ ...given, silences: [silence] })).toEqual([]);
    expect(found({ ...given, silences: [{ ...silence, until: at(2.6) }] })).toEqual([givenUp]);
    expect(found({ ...given, silences: [{ ...silence, pid: 8 }] })).toEqual([givenUp]);
    const loop = { pid: 7, from: at(-60), stalls: [{ from: at(2), until: at(2.8) }] };
    expect(found({ ...given, loops: [loop] })).toEqual([]);
    expect(found({ ...given, loops: [{ ...loop, from: at(-1.2), stalls: [] }] })).toEqual([]);
    expect(found({ ...given, loops: [{ ...loop, from: at(-1.3), stalls: [] }] })).toEqual([givenUp]);
    const turns = Array.from({ length: 20 }, (_, n) => ({ from: at(1 + n / 5), until: at(1.1 + n / 5) }));
    expect(found({ ...given, loops: [{ ...loop, stalls: turns }] })).toEqual([givenUp]);
  });

  test('takes two workers for two, also where one process has been both', () => {
    const faults = [fault({ kind: 'swallow', pid: 7, at: at(2), until: at(3) })];
    const before = row({ ...lost, runId: '2', jobId: 'plain-slow', final: false, worker: 'w6' });
    const last = { ...given, attempts: [lost, before], faults };
    expect(innocents.find(evidence(last))).toEqual([]);
    expect(innocents.find(evidence({ ...last, attempts: [lost, { ...before, worker: 'w7' }] }))).toHaveLength(
      1,
    );
  });

  test('knows of what was not begun how long it was held', () => {
    const kill = fault({ kind: 'kill', pid: 7, at: at(1.2), until: at(1.2) });
    const unbegun = { ...given, attempts: [{ ...lost, startedAt: null, finishedAt: at(9) }], faults: [kill] };
    const seen = { runId: lost.runId, fence: 1, jobId: lost.jobId, pid: 7, firstAt: at(1), lastAt: at(9) };
    expect(innocents.find(evidence(unbegun))).toHaveLength(1);
    expect(innocents.find(evidence({ ...unbegun, sightings: [seen] }))).toEqual([]);
  });

  test('do not judge by a clock that leaps what nobody has seen and nobody has executed', () => {
    const attempts = [{ ...lost, startedAt: at(3_600), finishedAt: at(3_601) }];
    const leapt = { attempts, executions: [], sightings: [] };
    const seen = { runId: lost.runId, fence: 1, jobId: lost.jobId, pid: 7, firstAt: at(1), lastAt: at(9) };
    expect(innocents.find(evidence(leapt))).toHaveLength(1);
    expect(innocents.find(evidence({ ...leapt, sameClock: false }))).toEqual([]);
    expect(innocents.find(evidence({ ...leapt, sameClock: false, sightings: [seen] }))).toHaveLength(1);
  });

  test('tells the history of the run that it finds', () => {
    const first = row({ ...lost, final: false, worker: 'w5', pid: 5, startedAt: at(0), finishedAt: at(0.5) });
    const attempts = [
      first,
      { ...lost, fence: 3 },
      row({ worker: 'w5', pid: 5, runId: '2', outcome: 'lost', finishedAt: at(0.5) }),
    ];
    const faults = [fault({ kind: 'poisoned', pid: 5, at: at(0.2), until: at(0.2) })];
    expect(innocents.find(evidence({ attempts, faults }))).toEqual([
      [
        'plain-one-off-3 run 1 ended as lost',
        '    fence 1 in 5 as w5 00:00:00.000 to 00:00:00.500: lost; beside 1 (plain-quick); poisoned 00:00:00.200',
        '    fence 3 in 7 as w7 00:00:01.000 to 00:00:04.000: lost; beside 0',
      ].join('\n'),
    ]);
  });
});
