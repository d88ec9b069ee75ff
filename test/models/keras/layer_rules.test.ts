import {
  keysInKeras,
  type LayerRule,
  ruleBack,
  ruleFor,
  RULES,
} from '../../../src/models/keras/translate/layer_rules.js';
import {translateLayer} from '../../../src/models/keras/translate/translate_layer.js';
import {Notes} from '../../../src/util/warnings.js';

/** A value that a key of tf.js may have. */
function valueOf(key: string): unknown {
  if (key.endsWith('activation')) return 'relu';
  if (key.endsWith('_initializer')) return {class_name: 'Ones', config: {}};
  if (key.endsWith('_regularizer')) {
    return {class_name: 'L1L2', config: {l1: 0.5, l2: 0.25}};
  }
  if (key.endsWith('_constraint')) {
    return {class_name: 'MaxNorm', config: {max_value: 2, axis: 0}};
  }
  if (key === 'data_format') return 'channels_last';
  if (key === 'padding') return 'valid';
  return key === 'alpha' ? 0.5 : 3;
}

/** The config of a layer of tf.js with all keys that the rule knows. */
function configOf({same, renamed}: LayerRule): Record<string, unknown> {
  const keys = [...same, ...Object.values(renamed)];
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)]));
}

const cases = RULES.map((rule) => [`${rule.keras} as ${rule.tfjs}`, rule]);

describe('rules between Keras and tf.js', () => {
  it.each(cases as Array<[string, LayerRule]>)(
    'read both ways: %s',
    (_, rule) => {
      const config = configOf(rule);
      const inKeras = keysInKeras(rule, config);
      // Keras must write no key that it would not take back.
      expect(ruleFor(rule.keras, inKeras)).toBe(rule);
      if (rule.keras === 'InputLayer') return;
      const layer = {
        className: rule.keras,
        name: 'a',
        newName: 'a',
        config: {...inKeras, name: 'a'},
        calls: [],
        wrapped: [],
      };
      const around = {
        isKeras3: true,
        isFromTfjs: false,
        hasWeights: false,
        notes: new Notes('test'),
        training: new Map(),
      };
      const back = translateLayer(layer, around, (inner) => inner);
      expect(back.className).toBe(rule.tfjs);
      expect(back.config).toEqual({...config, name: 'a'});
    },
  );

  it('has one for each layer of tf.js, under its own name', () => {
    for (const {tfjs} of RULES) expect(ruleBack(tfjs)?.keras).toBe(tfjs);
  });
});
