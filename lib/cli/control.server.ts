import { lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FailedError, toldError } from './cli.errors.js';
import { received, send, type ControlAnswer, type ControlCall } from './control.protocol.js';
import type { Session } from './session.js';

/** What would change the service itself, or is no call. */
const refused: ReadonlySet<string> = new Set([
  ...['constructor', 'start', 'stop', 'registerHandler', 'withdrawHandler', 'offerHandler'],
  ...['register', 'forTenant', 'withTransaction', 'withActor'],
]);
const ofSession: ReadonlySet<string> = new Set(['workers', 'now', 'jobFiles', 'storeBinary']);
/** Nobody but this user. */
const ownUmask = 0o177;

/** Lets other processes of this user call the services of a process that has the storage for itself, by a socket. */
export class ControlServer {
  private constructor(
    private readonly path: string,
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  /** Throws FailedError: another process listens there, or the path cannot be used. */
  static async listen(path: string, session: Session): Promise<ControlServer> {
    await makeRoom(path);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      void answer(socket, session);
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // It is of the whole process, and for the file that listen() makes before it returns.
        const umask = process.umask(ownUmask);
        try {
          server.listen(path, resolve);
        } finally {
          process.umask(umask);
        }
      });
    } catch (cause) {
      throw new FailedError(`Nobody can listen at ${path}: ${(cause as Error).message}.`);
    }
    return new ControlServer(path, server, sockets);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }
}

async function answer(socket: Socket, session: Session): Promise<void> {
  const call = await received<ControlCall>(socket).catch(() => null);
  if (call === null) return void socket.destroy();
  const said = await called(call, session).then(
    (result): ControlAnswer => ({ result }),
    (error: unknown): ControlAnswer => ({ error: toldError(error) }),
  );
  try {
    send(socket, said);
  } catch (error) {
    send(socket, { error: toldError(error) });
  }
  socket.end();
}

async function called({ service, method, args, actor }: ControlCall, session: Session): Promise<unknown> {
  const object = (service === 'session' ? session : session[service]) as object | undefined;
  const found: unknown = object === undefined ? undefined : Reflect.get(object, method);
  const isKnown = service === 'session' ? ofSession.has(method) : isMethod(object, method);
  if (!isKnown || typeof found !== 'function')
    throw new FailedError(`The service has no ${service}.${method}: it may be of another release.`);
  const call = (): unknown => Reflect.apply(found, object, args);
  return actor === undefined ? call() : session.scheduler.withActor(actor, call);
}

function isMethod(object: object | undefined, method: string): boolean {
  if (object === undefined || refused.has(method)) return false;
  return Object.hasOwn(Object.getPrototypeOf(object) as object, method);
}

/** What a service that was killed has left is taken away. */
async function makeRoom(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new FailedError(`${path} is no socket: it is left as it is. Give another --socket.`);
  const isTaken = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
  if (isTaken) throw new FailedError(`Another service listens at ${path}. Give another --socket.`);
  rmSync(path, { force: true });
}
