import { connect } from 'node:net';
import type { Actor } from '../index.js';
import { FailedError } from './cli.errors.js';
import { received, send, type ControlAnswer, type ControlCall } from './control.protocol.js';
import type { Session } from './session.js';

/** The services of a process that has the storage for itself, called by its socket, in the name of the actor where there is one. Nothing heavy is loaded for it. null: nobody listens there. */
export async function controlSession(path: string, actor: Actor | null): Promise<Session | null> {
  const services = (service: ControlCall['service']): object =>
    new Proxy(
      {},
      {
        get: (_, method) =>
          // Not a promise.
          typeof method !== 'string' || method === 'then'
            ? undefined
            : (...args: unknown[]) => called(path, { service, method, args, ...(actor && { actor }) }),
      },
    );
  const session = services('session') as Pick<Session, 'workers' | 'now' | 'storeBinary'>;
  if (!(await isListening(path))) return null;
  return {
    scheduler: services('scheduler') as Session['scheduler'],
    workflows: services('workflows') as Session['workflows'],
    definitions: services('definitions') as Session['definitions'],
    isService: true,
    workers: () => session.workers(),
    now: () => session.now(),
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
async function called(path: string, call: ControlCall): Promise<unknown> {
  const socket = connect(path);
  send(socket, call);
  const answer = await received<ControlAnswer>(socket).catch((cause: Error) => {
    throw new FailedError(`The service at ${path} has not answered: ${cause.message}.`);
  });
  socket.end();
  if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer.result;
}
