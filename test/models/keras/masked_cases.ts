import {join} from 'node:path';
import {type KerasCase, readCases} from './keras_models.js';

/* Models with masks; test/fixtures/mask_models.py says how they are made. */

const FIXTURES = join(__dirname, '../../fixtures');

const MERGED = 'LSTM lstm: tf.js gives it a different mask than Keras';
const LOST = 'LSTM lstm: the mask that it gets in Keras is lost in tf.js';
const EARLIER =
  'tf.js gives it the mask of an earlier layer, Keras gives it none';
const ZEROS = 'Keras returns zeros for masked steps, tf.js the step before';
const AVERAGE =
  'GlobalAveragePooling1D global_average_pooling1d: Keras skips masked ' +
  'steps, tf.js does not';

/** What begins the message of each model that is refused, in either library. */
const REFUSED: Readonly<Record<string, string>> = {
  'Embedding, nothing, Bidirectional of sequences': `Bidirectional bidirectional_1: ${ZEROS}`,
  'Embedding, nothing, GlobalAveragePooling1D': AVERAGE,
  'Embedding, nothing, attention':
    'MultiHeadAttention multi_head_attention: Keras skips masked steps',
  'Embedding, nothing, a state':
    'SimpleRNN simple_rnn_1: before the first unmasked step, Keras',
  'Embedding, nothing, states': `SimpleRNN simple_rnn_1: ${EARLIER}`,
  'Embedding, nothing, zeros': `LSTM lstm_3: ${ZEROS}`,
  'Embedding, RepeatVector, LSTM': `LSTM lstm: ${EARLIER}`,
  'Masking, Conv1D, SimpleRNN': `SimpleRNN simple_rnn: ${EARLIER}`,
  'Embedding, Add, LSTM': MERGED,
  'graph: masked branch last': `LSTM lstm_1: ${EARLIER}`,
  'graph: used and dropped': `LSTM lstm: ${EARLIER}`,
  'graph: out of a model': LOST,
};

const REFUSED_OF: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  keras3: {
    'Embedding, Concatenate(-1) with other masks, LSTM': MERGED,
    'Embedding, Concatenate(1) with a Conv1D, LSTM':
      'Concatenate concatenate: tf.js fails to merge the masks of its inputs',
    'Masking, Minimum, GlobalMaxPooling1D':
      'Minimum minimum: Keras merges only unmasked steps',
  },
  keras2: {
    'Embedding, Add of a Conv1D first, LSTM': LOST,
    'graph: each embedded':
      'TimeDistributed time_distributed_1: Keras and tf.js mask what it wraps',
  },
};

/** The models of a library, each with what refuses it, if something does. */
export function maskedCases(
  library: 'keras2' | 'keras3',
): Array<[string, KerasCase, string | undefined]> {
  const refused = {...REFUSED, ...REFUSED_OF[library]};
  return readCases(join(FIXTURES, `${library}_masks.json`)).map((given) => [
    given.name,
    given,
    refused[given.name],
  ]);
}
