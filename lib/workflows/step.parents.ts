import type { FlowEdge } from '../ports/flows.js';
import type { StepAfter } from '../model/workflow.js';
import { described, knownOptions } from '../scheduler/option.checks.js';
import { InvalidOptionError } from '../model/errors.js';

/** The parents of a step, in the order in which they are given. Throws InvalidOptionError for what is no list of names, and for a parent that is named twice. */
export function parentsOf(after: StepAfter | undefined): FlowEdge[] {
  if (after === undefined) return [];
  const given: readonly unknown[] = typeof after === 'string' ? [after] : (after as readonly unknown[]);
  if (!Array.isArray(given)) {
    throw new InvalidOptionError(
      'after',
      `must be the name of a step, or a list of names, but is ${described(after)}.`,
    );
  }
  const edges = given.map((each) => edgeOf(each));
  const seen = new Set<string>();
  for (const { parent } of edges) {
    if (seen.has(parent)) throw new InvalidOptionError('after', `names "${parent}" twice. Name it once.`);
    seen.add(parent);
  }
  return edges;
}

function edgeOf(given: unknown): FlowEdge {
  if (typeof given === 'string') return { parent: given, data: true };
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(
      'after',
      `holds ${described(given)}. Give the name of a step, or { step, order: true }.`,
    );
  }
  const { step, order } = knownOptions(given, ['step', 'order'], 'after');
  if (typeof step !== 'string' || order !== true) {
    throw new InvalidOptionError(
      'after',
      `holds ${described(given)}. An object names a parent that is only waited for: { step: 'load', order: true }.`,
    );
  }
  return { parent: step, data: false };
}
