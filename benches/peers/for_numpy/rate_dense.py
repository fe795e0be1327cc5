"""The product of the matrix of `models/rate_ring.toml` with a vector, once a step, and nothing else, with NumPy's library."""

import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from order import Clock, Order, Outcome  # noqa: E402

order = Order.taken()
os.environ["OPENBLAS_NUM_THREADS"] = str(order.threads)
import numpy as np  # noqa: E402

dtype = {"f32": np.float32, "f64": np.float64}[order.precision]
n = order.value("n_neurons", 256)
steps = round(order.duration_s / order.dt_s)
with Clock() as building:
    theta = 2 * np.pi * np.arange(n) / n
    weights = ((-7.3 + 11.0 * np.cos(theta[:, None] - theta[None, :])) / n).astype(dtype)
    rates = np.random.default_rng(order.seed).random(n).astype(dtype)
    sums = weights @ rates
with Clock() as running:
    for _ in range(steps):
        np.dot(weights, rates, out=sums)
Outcome(
    peer="numpy",
    version=np.__version__,
    neurons=n,
    synapses=n * n,
    precision=order.precision,
    threads=order.threads,
    duration_s=order.duration_s,
    build_s=building.wall_s,
    compile_s=0.0,
    run_s=running.wall_s,
    run_cpu_s=running.cpu_s,
    rate_hz=float(np.mean(rates)),
    remarks="the product alone",
).tell()
