import type { ClaimedRun } from '../model/run.js';
import type { Unstarted } from '../ports/storage.adapter.js';

/** All claims of a session that are not settled yet, so that nobody takes them for ones whose answer was lost. */
export class HeldClaims {
  private readonly held = new Set<ClaimedRun>();
  /** Runs that were claimed again while their earlier claim is executed, for when that ends. */
  private readonly successors = new Map<string, ClaimedRun>();

  get size(): number {
    return this.held.size;
  }

  add(run: ClaimedRun): void {
    this.held.add(run);
  }

  delete(run: ClaimedRun): void {
    this.held.delete(run);
  }

  /** Those of the claims that it does not know. */
  unknownOf(claims: readonly Unstarted[]): Unstarted[] {
    // The fence belongs to it: a run may be claimed anew while the result of its last attempt is still being written.
    const keyOf = (runId: string, fence: number): string => `${runId} ${fence}`;
    const held = new Set(Array.from(this.held, ({ id, fence }) => keyOf(id, fence)));
    return claims.filter(({ runId, fence }) => !held.has(keyOf(runId, fence)));
  }

  /** Keeps a claim until the earlier one of its run has ended; the storage knows no more of one that was kept before it. */
  keep(run: ClaimedRun): void {
    const former = this.successors.get(run.id);
    if (former !== undefined) this.held.delete(former);
    this.held.add(run);
    this.successors.set(run.id, run);
  }

  /** Takes out the claim that was kept for when that of its run has ended. */
  takeKept(runId: string): ClaimedRun | undefined {
    if (this.successors.size === 0) return undefined;
    const successor = this.successors.get(runId);
    if (successor !== undefined) this.successors.delete(runId);
    return successor;
  }
}
