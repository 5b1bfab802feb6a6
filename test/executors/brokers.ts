import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../chaos/free.port.js';

/** A server of this machine that was started for a test. */
export interface Started {
  port: number;
  stop(): Promise<void>;
}

type Server = 'redis-server' | 'nats-server' | 'rabbitmq-server';
const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/lib/rabbitmq/bin'];
// The one in /usr/sbin becomes another user.
const programs: Readonly<Record<Server, string | undefined>> = {
  'redis-server': placeOf('redis-server'),
  'nats-server': placeOf('nats-server'),
  'rabbitmq-server': ['/usr/lib/rabbitmq/bin/rabbitmq-server'].find((path) => existsSync(path)),
};

/** Whether it is on this machine; says loudly what is not tested where it is not. */
export function has(server: Server): boolean {
  if (programs[server] !== undefined) return true;
  process.stderr.write(
    `\n${server} is not on this machine, so nothing is tested with it. apt-get install ${server}\n`,
  );
  return false;
}

/** Starts it on a port of its own, or on this one, with nothing that it stores kept; resolves when it speaks. */
export async function start(server: Server, at?: number): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), `chronis-${server}-`));
  const [port, distribution, names] = [at ?? (await freePort()), await freePort(), await freePort()];
  const args = {
    'redis-server': ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    'nats-server': ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder],
    'rabbitmq-server': [],
  }[server];
  const env = {
    ...process.env,
    HOME: folder,
    RABBITMQ_NODENAME: `chronis${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // Its daemon for names would stay: it has a port of its own, by which it is ended.
    ERL_EPMD_PORT: String(names),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-start_epmd false -erl_epmd_port ${distribution}`,
  };
  const child = spawn(programs[server]!, args, {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ready =
    server === 'rabbitmq-server' ? /Server startup complete/ : /eady to accept connections|Server is ready/;
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => void (ready.test(said) && resolve()));
    child.stderr.on('data', () => void (ready.test(said) && resolve()));
    child.once('exit', () => reject(new Error(`${server} ended: ${said}`)));
  });
  await reachable(port);
  return { port, stop: () => stopped(child, folder, server === 'rabbitmq-server' ? names : null) };
}

/** Takes connections, and never says a word. */
export async function silentServer(): Promise<Started> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function reachable(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

async function stopped(child: ChildProcess, folder: string, names: number | null): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }
  if (names !== null) spawnSync('epmd', ['-port', String(names), '-kill'], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function placeOf(name: string): string | undefined {
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}
