import type { Actor } from '../index.js';
import type { Session } from './session.js';

/** The same, but all that is changed by it is put on record as asked for by the actor. */
export function namedSession(session: Session, actor: Actor): Session {
  const named = <S extends object>(service: S): S =>
    new Proxy(service, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          session.scheduler.withActor(actor, () => Reflect.apply(value, target, args) as unknown);
      },
    });
  const { scheduler, workflows, definitions } = session;
  return {
    ...session,
    scheduler: named(scheduler),
    workflows: named(workflows),
    definitions: named(definitions),
  };
}
