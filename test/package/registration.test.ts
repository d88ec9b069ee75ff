import * as tf from '@tensorflow/tfjs';
import {BatchNorm, batchNorm, register} from 'tfjs-normalization';
import {ONE_COPY} from '../../src/layer_support/one_copy.js';
import {registerLayer} from '../../src/layer_support/registration.js';
import {warnings} from '../support/warnings.js';

const {classNameMap} = tf.serialization.SerializationMap.getMap();

type LayerClass = Parameters<typeof registerLayer>[0];

/** Returns a class such as another package might register. */
function foreignClass(className: string): LayerClass {
  class Foreign extends tf.layers.Layer {
    static readonly className = className;
    static readonly description = {
      ...BatchNorm.description,
      className,
      kerasNames: [],
    };
  }
  return Foreign;
}

const holderOf = (className: string): unknown => classNameMap[className]?.[0];

afterEach(() => {
  register({override: true});
});

describe('importing the package', () => {
  it('registers its layers and does not change those of tfjs', () => {
    expect(holderOf('BatchNorm')).toBe(BatchNorm);
    const stock = tf.layers.batchNormalization({name: 'stock'});
    expect(holderOf('BatchNormalization')).toBe(stock.constructor);
    expect(tf.serialization.getRegisteredName(BatchNorm as never)).toBe(
      'Custom>BatchNorm',
    );
  });
});

it('files of Keras find a layer under the other names that Keras gives it', () => {
  expect(holderOf('SyncBatchNormalization')).toBe(BatchNorm);
  const theirs = foreignClass('SyncBatchNormalization');
  tf.serialization.registerClass(theirs);
  register();
  expect(holderOf('SyncBatchNormalization')).toBe(theirs);
  register({override: true});
  expect(holderOf('SyncBatchNormalization')).toBe(BatchNorm);
});

describe('a class name that is taken', () => {
  it('stays with the class that has it, with one warning that names that class', () => {
    const theirs = foreignClass('Taken');
    tf.serialization.registerClass(theirs);
    const ours = foreignClass('Taken');
    registerLayer(ours);
    expect(holderOf('Taken')).toBe(theirs);
    expect(warnings()).toEqual([
      'tfjs-normalization: the class name Taken is taken by another class, ' +
        'Foreign; models with it load that one. To take the name, call ' +
        'register({override: true}).',
    ]);
    register();
    expect(holderOf('Taken')).toBe(theirs);
    register({override: true});
    expect(holderOf('Taken')).toBe(ours);
  });

  it('by an earlier copy of this package goes to the later one', () => {
    let earlier: unknown;
    jest.isolateModules(() => {
      const copy = jest.requireActual<{BatchNorm: unknown}>(
        'tfjs-normalization',
      );
      earlier = copy.BatchNorm;
    });
    // The copy also has its own tfjs here, so it is registered by hand.
    tf.serialization.registerClass(earlier as LayerClass);
    expect(holderOf('BatchNorm')).toBe(earlier);
    register();
    expect(holderOf('BatchNorm')).toBe(BatchNorm);
    // The copy of tfjs causes a warning, the name does not.
    const ofName = warnings().filter((text) => text.includes('class name'));
    expect(ofName).toEqual([]);
  });

  it('by a user’s subclass is the user’s', () => {
    class Mine extends BatchNorm {
      static override readonly className = 'BatchNorm';
    }
    tf.serialization.registerClass(Mine);
    register();
    expect(holderOf('BatchNorm')).toBe(Mine);
  });
});

describe('another copy of tfjs', () => {
  interface Copy {
    input: typeof tf.input;
    sequential: typeof tf.sequential;
    layers: typeof tf.layers;
  }

  const otherCopy = (): Copy => {
    let copy: Copy | undefined;
    jest.isolateModules(() => {
      copy = jest.requireActual<Copy>('@tensorflow/tfjs-layers');
    });
    if (copy === undefined) throw new Error('no copy was loaded');
    return copy;
  };

  const MESSAGE =
    'BatchNorm bn: the input comes from another copy of TensorFlow.js than the ' +
    `one this layer was made with. ${ONE_COPY} Received: inputs=a SymbolicTensor ` +
    'of that copy';

  it('is reported, with the remedy, when a layer is applied to its tensors', () => {
    const copy = otherCopy();
    const input = copy.input({shape: [3]});
    expect(() => batchNorm({name: 'bn'}).apply(input)).toThrow(MESSAGE);
  });

  it('is reported when a layer is added to its models', () => {
    const copy = otherCopy();
    const model = copy.sequential();
    model.add(copy.layers.dense({units: 2, inputShape: [3]}));
    expect(() => model.add(batchNorm({name: 'bn'}))).toThrow(MESSAGE);
    const empty = copy.sequential();
    expect(() => empty.add(batchNorm({name: 'bn', inputShape: [3]}))).toThrow(
      MESSAGE,
    );
  });
});
