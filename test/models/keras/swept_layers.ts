/** Cases of layer_sweep.py that tf.js does not support. */
export const REFUSED = [
  'Activation(activation=exponential)',
  'Activation(activation=hard_sigmoid)',
  'Activation(activation=leaky_relu)',
  'Conv1D(padding=causal, strides=1, filters=2, kernel_size=2)',
  'Conv1D(padding=causal, strides=2, filters=2, kernel_size=2)',
  'Conv2D(filters=3, kernel_size=2, groups=3)',
  'Conv2DTranspose(dilation_rate=2, filters=2, kernel_size=2)',
  'Conv2DTranspose(output_padding=(0, 1), kernel_size=(1, 3), strides=(2, 2), filters=2)',
  'Conv2DTranspose(padding=same, kernel_size=2, strides=2, output_padding=1, filters=2)',
  'Conv2DTranspose(padding=valid, kernel_size=2, strides=2, output_padding=1, filters=2)',
  'Dense(units=3, activation=exponential)',
  'Dense(units=3, activation=hard_sigmoid)',
  'Dense(units=3, activation=leaky_relu)',
  'DepthwiseConv2D(kernel_size=2, dilation_rate=2)',
  'ELU(alpha=0.5)',
  'GRU(units=2, reset_after=True, return_sequences=False, go_backwards=False)',
  'GRU(units=2, reset_after=True, return_sequences=False, go_backwards=True)',
  'GRU(units=2, reset_after=True, return_sequences=True, go_backwards=False)',
  'GRU(units=2, reset_after=True, return_sequences=True, go_backwards=True)',
  'LSTM(units=2, recurrent_activation=hard_sigmoid)',
  'RandomCrop(height=4, width=4)',
  'ReLU(max_value=1.0, negative_slope=0.2)',
  'ReLU(threshold=0.5)',
  'Softmax(axis=1)',
  'UpSampling2D(size=2, interpolation=bilinear)',
];

/** Fails unless an error names the layer and the option of a case of layer_sweep.py. */
export function expectRefusal(name: string, error: unknown): void {
  const {message} = error as Error;
  if (/^\w+ \w+: .* Received: /.test(message)) return;
  throw new Error(`${name}: ${message}`);
}
