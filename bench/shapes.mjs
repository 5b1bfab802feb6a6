// The graphs of the suite `flow`.

const layerSize = 100;

/** The parents of each step, by number: `shapes.chain(3)` is [[], [0], [1]]. */
export const shapes = {
  'fan-out': (count) => Array.from({ length: count }, (_, step) => (step === 0 ? [] : [0])),
  'fan-in': (count) =>
    Array.from({ length: count }, (_, step) => (step < count - 1 ? [] : Array.from({ length: count - 1 }, (_, parent) => parent))),
  /** Layers of a hundred; each step has three parents in the layer before, none of which is those of its neighbour. */
  layered: (count) =>
    Array.from({ length: count }, (_, step) => {
      const layer = Math.floor(step / layerSize);
      if (layer === 0) return [];
      const above = (layer - 1) * layerSize;
      return [0, 1, 2].map((nth) => above + ((step + nth * 33) % layerSize));
    }),
  chain: (count) => Array.from({ length: count }, (_, step) => (step === 0 ? [] : [step - 1])),
};
