import {refusal} from '../../graph/json.js';
import {type GraphLayer, type GraphModel, whoIs} from '../../graph/graph.js';

/** The `training` argument of a call; undefined follows the model. */
export type Training = boolean | undefined;

/**
 * Finds the `training` argument that each layer gets from the models around it,
 * where one of them passes it: `layer(x, training=True)`, or
 * `model(x, training=False)` around it.
 *
 * @throws Error if the uses of a layer differ in it.
 */
export function callSiteTraining(
  model: GraphModel,
  isKeras3: boolean,
): Map<GraphLayer, boolean> {
  const found = new Map<GraphLayer, Set<Training>>();
  const visit = (layer: GraphLayer, training: Training): void => {
    if (layer.model) visitAll(layer.model, training);
    for (const {layer: inner} of layer.wrapped) visit(inner, training);
    const seen = found.get(layer) ?? new Set();
    found.set(layer, seen.add(training));
  };
  const visitAll = (inner: GraphModel, outer: Training): void => {
    for (const layer of inner.layers) {
      const said = new Set(
        inner.isSequential
          ? [outer]
          : layer.calls.map(({training}) =>
              // In Keras 3 the outermost argument wins, in Keras 2 the
              // innermost.
              isKeras3 ? (outer ?? training) : (training ?? outer),
            ),
      );
      for (const training of said) visit(layer, training);
    }
  };
  visitAll(model, undefined);
  return new Map(
    [...found].flatMap(([layer, seen]): Array<[GraphLayer, boolean]> => {
      const training = onlyOne(layer, seen);
      return training === undefined ? [] : [[layer, training]];
    }),
  );
}

function onlyOne(layer: GraphLayer, seen: ReadonlySet<Training>): Training {
  if (seen.size <= 1 || layer.model) return [...seen][0];
  const values = [...seen].map((value) => value ?? null);
  const what = 'it is called with more than one value of training';
  throw refusal(whoIs(layer), what, 'training', values);
}
