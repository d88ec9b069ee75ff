"""What both ways of training on have in common: the folder that Node shares with Python.

Node leaves there `from_node.keras`, the images and labels (`images.bin`, `labels.bin`,
little-endian float32) and its predictions (`from_node.bin`). Python leaves
`from_python.keras` and its own predictions, `from_python.bin`.
"""

import pathlib

import numpy as np

# The most that predictions may differ, as float32 rounds in other orders.
TOLERANCE = 1e-5

PIXELS = 64
BATCH = 32


class Trip:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.images = self.numbers('images.bin').reshape(-1, PIXELS)
        self.labels = self.numbers('labels.bin').astype('int32')

    @property
    def model_from_node(self):
        return self.folder / 'from_node.keras'

    def whole_batches(self):
        """Returns images and labels without the rest that fills no batch.

        A batch is divided among the devices, and Keras needs equal parts.
        """
        count = len(self.images) // BATCH * BATCH
        return self.images[:count], self.labels[:count]

    def check_arrival(self, model):
        """Fails unless the model predicts what it did in Node."""
        before = self.numbers('from_node.bin')
        gap = np.abs(self.predictions(model) - before).max()
        print(f'Python   loads it: predictions differ by {gap:.1e}', flush=True)
        if not gap <= TOLERANCE:
            raise SystemExit(f'predictions differ by more than {TOLERANCE}')

    def leave(self, model):
        """Writes the model and its predictions for Node."""
        model.save(self.folder / 'from_python.keras')
        self.predictions(model).tofile(self.folder / 'from_python.bin')

    def numbers(self, name):
        return np.fromfile(self.folder / name, '<f4')

    def predictions(self, model):
        return np.asarray(model(self.images), '<f4').reshape(-1)


def compile_model(keras, model):
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss='sparse_categorical_crossentropy',
        metrics=['accuracy'],
    )


def report(history, devices):
    for i, accuracy in enumerate(history.history['accuracy']):
        print(f'  epoch {i + 1}: {100 * accuracy:.1f}% of the training images')
    print(f'Python   trained it on {devices}', flush=True)
