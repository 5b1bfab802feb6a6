import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { controlSession } from '../../lib/cli/control.client.js';
import { received, send, type ControlCall } from '../../lib/cli/control.protocol.js';
import { LockFile } from '../../lib/journal/lock.file.js';
import { inFolder } from './cli.call.js';

/** Calls of a service that answers as `answer` says, with a patience of milliseconds. */
async function asking(
  answer: (call: ControlCall, socket: Socket) => void,
  ask: (session: NonNullable<Awaited<ReturnType<typeof controlSession>>>, path: string) => Promise<void>,
  name = 'sock',
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, name);
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      void received<ControlCall>(socket).then(
        (call) => answer(call, socket),
        () => undefined,
      );
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      const session = await controlSession(path, null, 20);
      await ask(session!, path);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
}

test('a service that stands still is told with what to do, and not waited for', () =>
  asking(
    () => undefined,
    (session, path) =>
      expect(session.scheduler.health()).rejects.toThrow(
        new RegExp(`^The service at ${path} does not answer: .*lsof ${path}.*kill -CONT`),
      ),
  ));

test('the process of a service that stands still is named by its number', () =>
  asking(
    () => undefined,
    async (session, path) => {
      const lock = path.replace(/sock$/, 'lock');
      const held = new LockFile(lock);
      held.acquire(path);
      try {
        await expect(session.scheduler.health()).rejects.toThrow(
          `not even to a second question. Its process ${process.pid} is stopped or busy. If it is stopped, let it go on (kill -CONT ${process.pid}); else look at its log`,
        );
        const own = JSON.parse(readFileSync(lock, 'utf8')) as object;
        writeFileSync(lock, JSON.stringify({ ...own, pid: 7, host: 'other' }));
        await expect(session.scheduler.health()).rejects.toThrow(
          'Its process 7 on other, in another container or on another machine, is stopped or busy. If it is stopped, let it go on (kill -CONT 7 there); else',
        );
      } finally {
        held.release();
      }
    },
    'jobs.yaml.sock',
  ));

test('a service that takes long for a call is waited for while it answers others', async () => {
  let late: Socket | null = null;
  let asked = 0;
  await asking(
    ({ method }, socket) => {
      if (method === 'retryFailed') return void (late = socket);
      send(socket, { result: asked++ });
      if (asked === 3) send(late!, { result: { retried: 7 } });
    },
    async (session) => {
      const retrying = session.scheduler.retryFailed({ id: 'a' } as never);
      await expect(retrying).resolves.toEqual({ retried: 7 });
    },
  );
  expect(asked).toBe(3);
});
