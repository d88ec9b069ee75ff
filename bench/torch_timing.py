"""Times PyTorch for the benchmark.

Reads one request per line from standard input and answers each with a line, so
that it runs in turn with the other programs:

    {"norm": "batch norm", "shape": [32, 28, 28, 64], "axis": 3,
     "groups": 32, "mode": "inference", "threads": 1}  ->  {"ready": true}
    {"run": true}                          ->  {"milliseconds": 1.23}

The first line out is {"version": ...}. A failure is answered by {"error": ...}.
"""

import json
import sys
import time

import torch
import torch.nn.functional as functional

EPSILON = 1e-3


def as_images(x):
    """Returns a view with the channels second, where PyTorch expects them."""
    if x.dim() == 4:
        return x.permute(0, 3, 1, 2)
    return x.reshape(-1, x.shape[-1])


def batch_norm(x, gamma, beta, statistics, last, groups):
    mean, variance = statistics or (None, None)
    y = functional.batch_norm(
        as_images(x) if last else x,
        mean,
        variance,
        gamma,
        beta,
        training=statistics is None,
        eps=EPSILON,
    )
    if not last:
        return y
    return y.permute(0, 2, 3, 1) if x.dim() == 4 else y.reshape(x.shape)


def layer_norm(x, gamma, beta, statistics, last, groups):
    if last:
        return functional.layer_norm(x, gamma.shape, gamma, beta, EPSILON)
    y = functional.layer_norm(
        x.movedim(1, -1), gamma.shape, gamma, beta, EPSILON
    )
    return y.movedim(-1, 1)


def rms_norm(x, gamma, beta, statistics, last, groups):
    if last:
        return functional.rms_norm(x, gamma.shape, gamma, EPSILON)
    y = functional.rms_norm(x.movedim(1, -1), gamma.shape, gamma, EPSILON)
    return y.movedim(-1, 1)


def of_channels(norm):
    """Wraps a normalization that expects the channels second."""

    def normalize(x, gamma, beta, statistics, last, groups):
        y = norm(x.movedim(-1, 1) if last else x, gamma, beta, groups)
        return y.movedim(1, -1) if last else y

    return normalize


@of_channels
def group_norm(x, gamma, beta, groups):
    return functional.group_norm(x, groups, gamma, beta, EPSILON)


@of_channels
def instance_norm(x, gamma, beta, groups):
    return functional.instance_norm(x, None, None, gamma, beta, eps=EPSILON)


NORMS = {
    "batch norm": batch_norm,
    "layer norm": layer_norm,
    "group norm": group_norm,
    "instance norm": instance_norm,
    "rms norm": rms_norm,
}


def prepare(request):
    """Returns the requested computation as a function."""
    torch.set_num_threads(request["threads"])
    shape, axis = request["shape"], request["axis"]
    norm = NORMS[request["norm"]]
    last = axis == len(shape) - 1
    groups = request["groups"]
    x, dy = torch.randn(shape), torch.randn(shape)
    gamma, beta = torch.rand(shape[axis]) + 0.5, torch.randn(shape[axis])

    if request["mode"] == "inference":
        statistics = torch.randn(shape[axis]), torch.rand(shape[axis]) + 0.5

        def infer():
            with torch.inference_mode():
                norm(x, gamma, beta, statistics, last, groups)

        return infer

    inputs = [tensor.requires_grad_() for tensor in (x, gamma, beta)]
    # RMS normalization has no beta.
    learnt = inputs[:2] if norm is rms_norm else inputs

    def train():
        torch.autograd.grad(norm(*inputs, None, last, groups), learnt, dy)

    return train


def timed(step):
    begin = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - begin)


def main():
    print(json.dumps({"version": torch.__version__}), flush=True)
    step = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if "shape" in request:
                step = prepare(request)
                # The first call starts threads and allocates memory.
                step()
                answer = {"ready": True}
            else:
                answer = {"milliseconds": timed(step)}
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
