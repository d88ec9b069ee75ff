"""Trains a model from Node on several devices, with tf.distribute.MirroredStrategy.

    python train_on.py FOLDER

With two GPUs or more it uses all of them; without, two logical devices of one CPU, which
compute the same, though no faster. It needs tensorflow and keras.
"""

import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
os.environ['KERAS_BACKEND'] = 'tensorflow'

import tensorflow as tf  # noqa: E402
import keras  # noqa: E402

from trip import BATCH, Trip, compile_model, report  # noqa: E402

EPOCHS = 2


def devices():
    """Returns the names of the devices. It must run before TensorFlow computes."""
    gpus = tf.config.list_physical_devices('GPU')
    if len(gpus) > 1:
        return [f'GPU:{i}' for i in range(len(gpus))]
    [cpu, *_] = tf.config.list_physical_devices('CPU')
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    return ['CPU:0', 'CPU:1']


def main(folder):
    trip = Trip(folder)
    names = devices()
    strategy = tf.distribute.MirroredStrategy(
        names, cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        model = keras.models.load_model(trip.model_from_node)
        compile_model(keras, model)
    check_synchronized(model)
    trip.check_arrival(model)
    images, labels = trip.whole_batches()
    history = model.fit(
        images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0
    )
    report(history, f'{strategy.num_replicas_in_sync} devices: {names}')
    trip.leave(model)


def check_synchronized(model):
    """Without it each device has statistics of its own, and one's are saved."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert layer.synchronized, f'{layer.name} is not synchronized'


if __name__ == '__main__':
    main(sys.argv[1])
