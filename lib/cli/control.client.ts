import { connect } from 'node:net';
import type { Actor } from '../index.js';
import { FailedError } from './cli.errors.js';
import { lockHolder } from '../processes/lock.holder.js';
import { received, send, type ControlAnswer, type ControlCall } from './control.protocol.js';
import type { Session } from './session.js';
import { socketOf } from './storage.choice.js';

/** A service that has not answered for so long is asked whether it answers at all; for the answer to that there is as much time again. */
const quietMs = 5_000;
const ofSocket = socketOf('');

/**
 * The services of a process that has the storage for itself, called by its socket, in the name of the actor where there is one. Nothing heavy is loaded for it. null: nobody listens there.
 * Calls reject with FailedError where the service does not answer anything for twice `patienceMs`.
 */
export async function controlSession(
  path: string,
  actor: Actor | null,
  patienceMs = quietMs,
): Promise<Session | null> {
  const services = (service: ControlCall['service']): object =>
    new Proxy(
      {},
      {
        get: (_, method) =>
          // Not a promise.
          typeof method !== 'string' || method === 'then'
            ? undefined
            : (...args: unknown[]) =>
                called(path, { service, method, args, ...(actor && { actor }) }, patienceMs),
      },
    );
  const session = services('session') as Pick<Session, 'workers' | 'now' | 'jobFiles' | 'storeBinary'>;
  if (!(await isListening(path))) return null;
  return {
    scheduler: services('scheduler') as Session['scheduler'],
    workflows: services('workflows') as Session['workflows'],
    definitions: services('definitions') as Session['definitions'],
    isService: true,
    workers: () => session.workers(),
    now: () => session.now(),
    jobFiles: () => session.jobFiles(),
    storeBinary: (bytes) => session.storeBinary(bytes),
    close: async () => undefined,
  };
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Rejects with an error that has the code of the one over there. */
async function called(path: string, call: ControlCall, patienceMs: number): Promise<unknown> {
  const answer = await exchanged(path, call, patienceMs, async () => {
    // Any answer will do: whoever gives one is at the call.
    const small: ControlCall = { service: 'session', method: 'now', args: [] };
    await exchanged(path, small, patienceMs, () => {
      throw new FailedError(
        `The service at ${path} does not answer: it has said nothing for ${(2 * patienceMs) / 1_000} s, not even to a second question. ${standing(path)}; else look at its log, or end it and start it again. What was asked for may still be carried out.`,
      );
    });
  });
  if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer.result;
}

/** Which process it is: who has a storage for itself says so in its lock, and listens beside it. */
function standing(path: string): string {
  const holder = path.endsWith(ofSocket) ? lockHolder(`${path.slice(0, -ofSocket.length)}.lock`) : null;
  if (holder === null)
    return `Its process, which lsof ${path} names, is stopped or busy. If it is stopped, let it go on (kill -CONT and its number)`;
  const { pid, host, isHere } = holder;
  const where = isHere ? '' : ` on ${host}, in another container or on another machine,`;
  return `Its process ${pid}${where} is stopped or busy. If it is stopped, let it go on (kill -CONT ${pid}${isHere ? '' : ' there'})`;
}

/** What the service answers. `onQuiet`: called each time nothing has come for `patienceMs`; where it throws, the wait is over. */
async function exchanged(
  path: string,
  call: ControlCall,
  patienceMs: number,
  onQuiet: () => void | Promise<void>,
): Promise<ControlAnswer> {
  const socket = connect(path);
  send(socket, call);
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const tooQuiet = new Promise<never>((_, reject) => {
    const look = async (): Promise<void> => {
      await onQuiet();
      if (!isOver) wait();
    };
    const wait = (): void => {
      timer = setTimeout(() => void look().catch(reject), patienceMs);
    };
    wait();
  });
  const answer = received<ControlAnswer>(socket).catch((cause: Error) => {
    throw new FailedError(`The service at ${path} has not answered: ${cause.message}.`);
  });
  try {
    return await Promise.race([answer, tooQuiet]);
  } finally {
    isOver = true;
    clearTimeout(timer);
    socket.destroy();
  }
}
