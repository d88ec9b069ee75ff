"""Trains a model from Node on several devices, with Keras on JAX.

    python train_on_jax.py FOLDER

On a CPU, two devices are forced. Batch normalization needs no option there: JAX computes
statistics over the whole batch, wherever its parts lie. It needs jax and keras.
"""

import os
import sys

os.environ['KERAS_BACKEND'] = 'jax'
os.environ.setdefault(
    'XLA_FLAGS', '--xla_force_host_platform_device_count=2'
)

import jax  # noqa: E402
import keras  # noqa: E402

from trip import BATCH, Trip, compile_model, report  # noqa: E402

EPOCHS = 2


def main(folder):
    trip = Trip(folder)
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    model = keras.models.load_model(trip.model_from_node)
    compile_model(keras, model)
    trip.check_arrival(model)
    images, labels = trip.whole_batches()
    history = model.fit(
        images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0
    )
    names = [str(device) for device in jax.devices()]
    report(history, f'{len(names)} devices: {names}')
    trip.leave(model)


if __name__ == '__main__':
    main(sys.argv[1])
