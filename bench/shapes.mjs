// The graphs of the suite `flow`.

const layerSize = 100;
const narrowLayerSize = 10;

/** The parents of each step, by number: `shapes.chain(3)` is [[], [0], [1]]. */
export const shapes = {
  'fan-out': (count) => Array.from({ length: count }, (_, step) => (step === 0 ? [] : [0])),
  'fan-in': (count) =>
    Array.from({ length: count }, (_, step) => (step < count - 1 ? [] : Array.from({ length: count - 1 }, (_, parent) => parent))),
  layered: (count) => inLayers(count, layerSize),
  /** As `layered`, in layers of ten: how long a step waits for its parents and not for the others of its layer. */
  narrow: (count) => inLayers(count, narrowLayerSize),
  chain: (count) => Array.from({ length: count }, (_, step) => (step === 0 ? [] : [step - 1])),
};

/** Each step has three parents in the layer before, none of which is those of its neighbour. */
function inLayers(count, size) {
  return Array.from({ length: count }, (_, step) => {
    const layer = Math.floor(step / size);
    if (layer === 0) return [];
    const above = (layer - 1) * size;
    return [0, 1, 2].map((nth) => above + ((step + nth * Math.floor(size / 3)) % size));
  });
}
