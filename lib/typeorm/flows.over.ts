import type { FlowOver } from '../ports/flows.js';

type Hearer = (over: FlowOver) => void;

/** Tells of flows that are over, see `FlowStorage.onFlowOver`. */
export class FlowsOver {
  private readonly hearers = new Set<Hearer>();

  /** Returns how to stop. */
  hear(told: Hearer): () => void {
    this.hearers.add(told);
    return () => void this.hearers.delete(told);
  }

  tell(flows: readonly FlowOver[]): void {
    for (const over of flows) for (const told of this.hearers) told(over);
  }
}
