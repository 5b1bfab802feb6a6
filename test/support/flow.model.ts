import type { FlowStepState, JsonValue, NewFlowStep, StepEnd, StepVerdict } from '../../lib/index.js';

interface ModelStep {
  definition: NewFlowStep;
  addedBy: string | null;
  state: FlowStepState;
  result: JsonValue;
  instances: ModelStep[];
}

export interface ModelEnd {
  key: string;
  verdict: StepVerdict;
  result?: JsonValue;
  grows?: Pick<StepEnd, 'added' | 'joined'>;
}

/**
 * What a graph of steps comes to, worked out from nothing but how its steps have ended: without counters, runs or a clock, and looking at every step each time. Slow, and too simple to have the
 * mistakes of a storage.
 */
export class FlowModel {
  readonly steps = new Map<string, ModelStep>();
  verdict: 'succeeded' | 'failed' | 'cancelled' | null = null;

  constructor(definitions: readonly NewFlowStep[]) {
    this.add(definitions, null);
    this.settle([]);
  }

  /** Ends that are told by one call. */
  settle(ends: readonly ModelEnd[]): void {
    for (const { key, verdict, grows } of ends) {
      if (verdict !== 'succeeded' && verdict !== 'skipped') continue;
      if (this.verdict === null) this.grow(grows ?? {}, key.split('.')[0]);
    }
    for (const { key, verdict, result = null } of ends) {
      const step = this.at(key);
      step.state = verdict;
      step.result = verdict === 'succeeded' ? result : null;
    }
    for (let decided = this.decide(); decided.length > 0; decided = this.decide()) {
      for (const apply of decided) apply();
    }
    const plain = [...this.steps.values()];
    if (this.verdict !== null || plain.some(({ state }) => state === 'released')) return;
    this.verdict = plain.every(isWell) ? 'succeeded' : 'failed';
  }

  /** Its run has ended otherwise, and with it, at once, the steps of these keys. */
  cancel(ended: readonly string[]): void {
    this.verdict = 'cancelled';
    for (const step of this.steps.values()) if (step.state === 'waiting') step.state = 'cancelled';
    this.settle(ended.map((key) => ({ key, verdict: 'cancelled' })));
  }

  /** Whether a retry would take away a step that another one comes after which was added by what does not run again. */
  get losesByRetry(): boolean {
    const gone = this.goneBy(this.plan().again);
    const places = new Map([...this.steps.keys()].map((name, place) => [name, place]));
    return [...gone].some(({ definition: { name } }) =>
      [...this.steps.values()].some((other) => {
        const isLater = places.get(other.definition.name)! > places.get(name)!;
        return isLater && !gone.has(other) && other.definition.after.some(({ parent }) => parent === name);
      }),
    );
  }

  /** A retry of all that has not ended well. */
  retry(): void {
    const { chosen, behind, again, isHalf } = this.plan();
    this.drop(this.goneBy(again));
    this.verdict = null;
    for (const step of again) Object.assign(step, { state: 'waiting', result: null, instances: [] });
    for (const step of chosen) {
      if (!this.steps.has(step.definition.name) || behind.has(step)) continue;
      if (!isHalf(step)) this.release(step)();
      else
        for (const each of [step, ...step.instances.filter((instance) => !isWell(instance))])
          Object.assign(each, { state: 'released', result: null });
    }
    this.settle([]);
  }

  /** By `load` or `load.3`. */
  states(): Record<string, FlowStepState> {
    const entries: [string, FlowStepState][] = [];
    for (const [name, { state, instances }] of this.steps) {
      entries.push([name, state === 'waiting' && this.verdict !== null ? 'blocked' : state]);
      for (const [nth, instance] of instances.entries()) entries.push([`${name}.${nth}`, instance.state]);
    }
    return Object.fromEntries(entries);
  }

  at(key: string): ModelStep {
    const [name, nth] = key.split('.');
    const step = this.steps.get(name)!;
    return nth === undefined ? step : step.instances[Number(nth)];
  }

  parentsOf({ definition }: ModelStep): ModelStep[] {
    return definition.after.map(({ parent }) => this.steps.get(parent)!);
  }

  /** Of a map the list of its instances' results. */
  resultOf({ instances, result }: ModelStep): JsonValue {
    return instances.length === 0 ? result : instances.map((each) => each.result);
  }

  /** Of the run, when all has succeeded. */
  result(): JsonValue {
    const parents = new Set(
      [...this.steps.values()].flatMap(({ definition }) => definition.after.map(({ parent }) => parent)),
    );
    const leaves = [...this.steps].filter(([name]) => !parents.has(name));
    return Object.fromEntries(leaves.map(([name, step]) => [name, this.resultOf(step)]));
  }

  private add(definitions: readonly NewFlowStep[], addedBy: string | null): void {
    for (const definition of definitions) {
      const own = { ...definition, after: [...definition.after] };
      this.steps.set(definition.name, {
        definition: own,
        addedBy,
        state: 'waiting',
        result: null,
        instances: [],
      });
    }
  }

  private grow({ added = [], joined = [] }: Pick<StepEnd, 'added' | 'joined'>, by: string): void {
    this.add(added, by);
    for (const { parent, child, data } of joined) {
      const { definition } = this.steps.get(child)!;
      if (definition.after.some((edge) => edge.parent === parent)) continue;
      definition.after = [...definition.after, { parent, data }];
      definition.need++;
    }
  }

  /** What becomes of steps as all of them are now. */
  private decide(): (() => void)[] {
    return [...this.steps.values()].flatMap((step) => {
      if (step.state === 'released' && step.instances.length > 0 && step.instances.every(hasEnded))
        return [() => void (step.state = step.instances.every(isWell) ? 'succeeded' : 'failed')];
      if (step.state !== 'waiting' || this.verdict !== null) return [];
      const parents = this.parentsOf(step);
      const { need, otherwise } = step.definition;
      const well = parents.filter(isWell).length;
      if (parents.length > 0 && parents.every(({ state }) => state === 'skipped'))
        return [() => void (step.state = 'skipped')];
      if (well >= need || (otherwise === 'run' && parents.every(hasEnded))) return [this.release(step)];
      const mayBeWell = parents.filter((parent) => isWell(parent) || !hasEnded(parent)).length;
      return mayBeWell < need && otherwise === 'cancel' ? [() => void (step.state = 'cancelled')] : [];
    });
  }

  private release(step: ModelStep): () => void {
    const { map, after } = step.definition;
    if (!map) return () => void (step.state = 'released');
    const list = this.steps.get(after.find(({ data }) => data)!.parent)!;
    const items = hasEnded(list) ? this.resultOf(list) : null;
    if (list.state === 'skipped') return () => void (step.state = 'skipped');
    if (!Array.isArray(items)) return () => void (step.state = 'failed');
    if (items.length === 0) return () => void (step.state = 'skipped');
    return () => {
      step.state = 'released';
      step.instances = items.map(() => ({ ...step, state: 'released', result: null, instances: [] }));
    };
  }

  private behind(chosen: readonly ModelStep[]): Set<ModelStep> {
    const found = new Set<ModelStep>();
    const visit = (step: ModelStep): void => {
      const { name } = step.definition;
      const isHalf = step.instances.length > 0 && !isWell(step) && !found.has(step);
      for (const other of this.steps.values()) {
        const comesAfter = other.definition.after.some(({ parent }) => parent === name);
        if (found.has(other) || !(comesAfter || (other.addedBy === name && !isHalf))) continue;
        found.add(other);
        visit(other);
      }
    };
    for (const step of chosen) visit(step);
    return found;
  }

  private plan() {
    const chosen = [...this.steps.values()].filter((step) => step.state !== 'waiting' && !isWell(step));
    const behind = this.behind(chosen);
    const isHalf = (step: ModelStep): boolean => step.instances.length > 0 && !behind.has(step);
    const again = new Set([...chosen.filter((step) => !isHalf(step)), ...behind]);
    return { chosen, behind, again, isHalf };
  }

  private goneBy(again: ReadonlySet<ModelStep>): Set<ModelStep> {
    const names = new Set([...again].map(({ definition }) => definition.name));
    return new Set([...this.steps.values()].filter(({ addedBy }) => addedBy !== null && names.has(addedBy)));
  }

  private drop(gone: ReadonlySet<ModelStep>): void {
    for (const { definition } of gone) {
      for (const other of this.steps.values())
        if (!gone.has(other)) this.cut(other.definition, definition.name, gone);
    }
    for (const { definition } of gone) this.steps.delete(definition.name);
  }

  /** It waits for who adds its parent again in place of that. */
  private cut(child: NewFlowStep, parent: string, gone: ReadonlySet<ModelStep>): void {
    if (!child.after.some((edge) => edge.parent === parent)) return;
    child.after = child.after.filter((edge) => edge.parent !== parent);
    let adder = this.steps.get(this.steps.get(parent)!.addedBy!)!;
    while (gone.has(adder)) adder = this.steps.get(adder.addedBy!)!;
    const { name } = adder.definition;
    if (child.after.some((edge) => edge.parent === name)) child.need--;
    else child.after = [...child.after, { parent: name, data: false }];
  }
}

function hasEnded({ state }: ModelStep): boolean {
  return state !== 'waiting' && state !== 'released';
}

function isWell(step: ModelStep): boolean {
  const { state, definition } = step;
  return state === 'succeeded' || state === 'skipped' || (definition.allowFailure && hasEnded(step));
}
