import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../lib/testing/index.js';
import { whyUnheard } from '../../lib/typeorm/server.place.js';
import { NotifyConnection, type ListeningClient } from '../../lib/typeorm/notify.connection.js';

const minute = 60_000;

type Listener = (given: never) => void;

/** A session of the server, which hears what is told on its channels unless it is deaf. */
class Session implements ListeningClient {
  readonly asked: string[] = [];
  isDeaf = false;
  /** What comes with the next answer: it was there, and nobody had read it. */
  unread: string[] = [];
  isSlow = false;
  private readonly listeners = new Map<string, Listener>();

  connect = async (): Promise<void> => undefined;
  end = async (): Promise<void> => undefined;

  on(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }

  async query({ text }: { text: string }): Promise<{ rows: unknown[] }> {
    this.asked.push(text);
    for (const channel of this.unread.splice(0)) this.hear(channel);
    return { rows: [{ read_only: false, has_room: true, database: 'app', startedAt: '1' }] };
  }

  hear(channel: string): void {
    if (!this.isDeaf && this.asked.includes(`listen ${channel}`))
      this.listeners.get('notification')!({ channel, payload: '' } as never);
  }
}

describe('a connection that listens', () => {
  let clock: ManualClock;
  let sessions: Session[];
  let told: string[];
  let sent: number;
  let send: (channel: string) => Promise<void>;
  let opens: (session: Session) => void;
  let tell: () => void;

  beforeEach(() => {
    [clock, sessions, told, sent] = [new ManualClock(), [], [], 0];
    opens = () => undefined;
    tell = () => undefined;
    send = async (channel) => {
      for (const session of sessions) {
        if (session.isSlow) session.unread.push(channel);
        else session.hear(channel);
      }
    };
  });

  function connection(): NotifyConnection {
    const newClient = (): Session => {
      const session = new Session();
      sessions.push(session);
      opens(session);
      return session;
    };
    const note = async (channel: string): Promise<void> => {
      sent++;
      await send(channel);
    };
    const tables = { address: 'here', rows: async () => [{ database: 'app', startedAt: '1' }] as never };
    return new NotifyConnection(newClient, clock, 50, {
      tell: note,
      whyUnheard: (rows) => whyUnheard({ address: 'there', rows }, tables),
    });
  }

  const note = (what: string): void => {
    told.push(what);
    tell();
  };
  const hearing = {
    channel: 'jobs',
    hear: () => note('heard'),
    lost: (error: Error) => note(error.message),
    resumed: () => note('resumed'),
  };
  const until = (what: RegExp): Promise<void> =>
    new Promise((resolve) => {
      tell = () => void (told.some((one) => what.test(one)) && resolve());
      tell();
    });

  test('hears itself before it listens for others, who are not woken by it', async () => {
    const leave = await connection().listen(hearing);
    expect(sent).toBe(1);
    expect(sessions[0]!.asked.at(-1)).toBe('listen jobs');
    expect(told).toEqual([]);
    await leave();
  });

  test('is refused where it hears nothing, with the fix', async () => {
    opens = (session) => (session.isDeaf = true);
    await expect(connection().listen(hearing)).rejects.toThrow(/PgBouncer in transaction mode.*"listenUrl"/);
  });

  test('is there where this process has only not read yet what has come', async () => {
    opens = (session) => (session.isSlow = true);
    await (
      await connection().listen(hearing)
    )();
    expect(sent).toBe(1);
  });

  test('is there where nothing can be told, and asks itself as soon as that can be', async () => {
    const works = send;
    send = () => Promise.reject(new Error('no connection is free'));
    const leave = await connection().listen(hearing);
    send = works;
    await clock.advanceBy(minute / 2);
    expect(sent).toBe(2);
    await leave();
  });

  test('asks itself once a minute, at a heartbeat', async () => {
    const leave = await connection().listen(hearing);
    await clock.advanceBy(minute - 1);
    expect(sent).toBe(1);
    await clock.advanceBy(minute / 2 + 1);
    expect(sent).toBe(2);
    await clock.advanceBy(10 * minute);
    expect(sent).toBeLessThanOrEqual(12);
    await leave();
  });

  test('is told as lost when it hears nothing any more, and is replaced', async () => {
    const leave = await connection().listen(hearing);
    sessions[0]!.isDeaf = true;
    await clock.advanceBy(1.5 * minute);
    await until(/transaction mode/);
    await clock.advanceBy(100);
    await until(/resumed/);
    expect(told).toHaveLength(2);
    expect(sessions).toHaveLength(2);
    await leave();
  });

  test('does not keep anybody waiting once it is closed', async () => {
    const closed = connection();
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    send = () => {
      begin();
      return new Promise(() => undefined);
    };
    const listens = closed.listen(hearing);
    await begun;
    await closed.close();
    await listens;
    expect(sessions).toHaveLength(1);
  });
});
