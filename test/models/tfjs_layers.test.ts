import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {artifactsOf} from '../support/memory_model.js';

const IMG = [6, 6, 3],
  SEQ = [5, 4];
const MAKERS: Record<string, [number[], () => tf.layers.Layer, string?]> = {
  activation: [SEQ, () => tf.layers.activation({activation: 'hardSigmoid'})],
  rnn: [SEQ, () => tf.layers.rnn({cell: tf.layers.lstmCell({units: 2})})],
  rnn2: [
    SEQ,
    () =>
      tf.layers.rnn({
        cell: [tf.layers.lstmCell({units: 2}), tf.layers.gruCell({units: 3})],
      }),
  ],
  rnn3: [
    SEQ,
    () =>
      tf.layers.rnn({
        cell: [tf.layers.lstmCell({units: 2}), tf.layers.lstmCell({units: 2})],
      }),
  ],
  stacked: [
    SEQ,
    () =>
      tf.layers.rnn({
        cell: tf.layers.stackedRNNCells({
          cells: [
            tf.layers.lstmCell({units: 2}),
            tf.layers.simpleRNNCell({units: 3}),
          ],
        }),
      }),
  ],
  bidirectional: [
    SEQ,
    () =>
      tf.layers.bidirectional({
        layer: tf.layers.lstm({units: 2}) as never,
        mergeMode: 'concat',
      }),
  ],
  bidirectional2: [
    SEQ,
    () =>
      tf.layers.bidirectional({
        layer: tf.layers.rnn({cell: tf.layers.lstmCell({units: 2})}) as never,
        mergeMode: 'concat',
      }),
  ],
  up: [IMG, () => tf.layers.upSampling2d({interpolation: 'bilinear'})],
  td: [
    SEQ,
    () => tf.layers.timeDistributed({layer: tf.layers.dense({units: 2})}),
  ],
  td2: [
    SEQ,
    () => tf.layers.timeDistributed({layer: tf.layers.batchNormalization()}),
  ],
  rw: [IMG, () => tf.layers.randomWidth({factor: 0.1} as never)],
  lstm: [SEQ, () => tf.layers.lstm({units: 2})],
  convlstm: [
    [3, 4, 4, 2],
    () => tf.layers.convLstm2d({filters: 2, kernelSize: 2} as never),
  ],
  sep: [
    IMG,
    () =>
      tf.layers.separableConv2d({
        filters: 2,
        kernelSize: 2,
        depthMultiplier: 2,
      }),
  ],
  dw: [
    IMG,
    () => tf.layers.depthwiseConv2d({kernelSize: 2, dilationRate: 2} as never),
  ],
  softmax: [SEQ, () => tf.layers.softmax({axis: 1})],
  c1: [
    SEQ,
    () => tf.layers.conv1d({filters: 2, kernelSize: 2, dilationRate: 2}),
  ],
};
it('all', async () => {
  console.log(Object.keys(tf.layers).join(' '));
  const out: string[] = [];
  for (const [n, [shape, mk]] of Object.entries(MAKERS)) {
    const run = async (
      f: () => Promise<tf.LayersModel>,
      x: tf.Tensor,
      y?: tf.Tensor,
    ) => {
      try {
        const m = await f();
        if (!y) return 'ok';
        const z = m.predict(x) as tf.Tensor;
        return String(tf.max(tf.abs(tf.sub(z, y))).dataSync()[0]);
      } catch (e) {
        return (e as Error).message.slice(0, 150);
      }
    };
    let l: tf.layers.Layer;
    try {
      l = mk();
    } catch (e) {
      out.push(n + ' make ' + (e as Error).message.slice(0, 50));
      continue;
    }
    const input = tf.input({shape});
    let m: tf.LayersModel;
    try {
      m = tf.model({
        inputs: input,
        outputs: l.apply(input) as tf.SymbolicTensor,
      });
    } catch (e) {
      out.push(n + ' build ' + (e as Error).message.slice(0, 50));
      continue;
    }
    const x = tf.randomNormal([2, ...shape]);
    let y: tf.Tensor | undefined;
    try {
      y = m.predict(x) as tf.Tensor;
    } catch (e) {
      out.push(n + ' cannot predict ' + (e as Error).message.slice(0, 80));
    }
    const a = await artifactsOf(m);
    out.push(
      n +
        ' stock: ' +
        (await run(() => tf.loadLayersModel(tf.io.fromMemory(a)), x, y)) +
        ' | ours: ' +
        (await run(
          () => tf.loadLayersModel(fromKeras(tf.io.fromMemory(a))),
          x,
          y,
        )),
    );
    if (n.startsWith('rnn') || n.startsWith('bidi') || n == 'stacked')
      out.push(JSON.stringify(a.weightSpecs!.map((s) => s.name)));
  }
  console.log(out.join('\n'));
});
