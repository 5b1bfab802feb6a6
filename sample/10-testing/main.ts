// A test of the service, by node:test; it reads the same in vitest and jest. Two weeks pass in milliseconds.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ChronisTesting } from 'nestjs-chronis/testing';
import { Mailer, TrialService } from './trial.service.js';

class FakeMailer extends Mailer {
  readonly sent: string[] = [];
  broken = false;

  async send(to: string, text: string): Promise<void> {
    if (this.broken) throw new Error('mail server is away');
    this.sent.push(`${to}: ${text}`);
  }
}

void describe('a trial', () => {
  let chronis: ChronisTesting;
  let mailer: FakeMailer;
  beforeEach(async () => {
    mailer = new FakeMailer();
    chronis = await ChronisTesting.create({
      startAt: '2026-03-01T12:00:00Z',
      providers: [TrialService, { provide: Mailer, useValue: mailer }],
    });
    await chronis.app.get(TrialService).begin('ada');
  });
  afterEach(() => chronis.close());

  void test('is reminded of after ten days', async () => {
    await chronis.advanceBy('10d');
    assert.deepEqual(mailer.sent.slice(-1), ['ada: Four days left']);
    assert.equal(mailer.sent.filter((mail) => mail === 'sales: 1 open').length, 10);
  });

  void test('ends after fourteen days, though the mail server is away for two hours', async () => {
    await chronis.advanceTo('2026-03-15T11:59:00Z');
    mailer.broken = true;
    await chronis.advanceBy('90m');
    mailer.broken = false;
    await chronis.drain();
    const attempts = await chronis.ledger('end-ada');
    assert.deepEqual(
      attempts.map(({ outcome, finishedAt }) => `${outcome} ${finishedAt.toISOString()}`),
      [
        'failed 2026-03-15T12:00:00.000Z',
        'failed 2026-03-15T13:00:00.000Z',
        'succeeded 2026-03-15T14:00:00.000Z',
      ],
    );
    assert.equal(chronis.app.get(TrialService).open.size, 0);
  });

  void test('is on the list of the morning', async () => {
    const { verdict, result } = await chronis.run('list-trials');
    assert.deepEqual({ verdict, result }, { verdict: 'succeeded', result: 1 });
  });
});
