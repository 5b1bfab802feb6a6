import { ownPlace } from './own.frames.js';

const key = Symbol.for('nestjs-chronis.copies');
const shared = globalThis as { [key]?: Set<string> };

// When it is loaded: nobody calls anything of a copy that brings decorators or errors only.
(shared[key] ??= new Set()).add(ownPlace());

/** The folders from which this process has loaded this package: more than one where packages of a workspace have copies of their own. */
export function loadedCopies(): string[] {
  return [...shared[key]!].toSorted();
}
