"""The cortical microcircuit, as `models/microcircuit.toml`: the numbers of Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358.

In-degrees shrink with `scale`; weights and a current make up for it, after van Albada, Helias and Diesmann (2015),
doi:10.1371/journal.pcbi.1004490.
"""

import math

import kernel

SIZES = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
"""L2/3E, L2/3I, L4E, L4I, L5E, L5I, L6E, L6I, in this order everywhere below."""
PROBABILITIES = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
]
"""Of a target (row) and a source (column)."""
EXTERNAL = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
"""External synapses of a neuron, each at 8 Hz."""
RATES_HZ = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]
"""Mean rates at full scale, for the current that makes up for synapses that are left out."""
V_MEAN = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]
V_SD = [5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]
EXTERNAL_HZ, TAU_SYN, TAU_M, C_M = 8.0, 0.5, 10.0, 250.0


def current_of(psp_mv):
    """The synaptic current in pA that moves the potential by `psp_mv` at most."""
    # The difference of two exponentials is largest where their slopes are equal.
    peak = math.log(TAU_M / TAU_SYN) * TAU_M * TAU_SYN / (TAU_M - TAU_SYN)
    per_pa = TAU_M * TAU_SYN / (C_M * (TAU_M - TAU_SYN)) * (math.exp(-peak / TAU_M) - math.exp(-peak / TAU_SYN))
    return psp_mv / per_pa


def build(order):
    import nest
    from nest import random

    scale, poisson = order.value("scale", 0.1), not order.value("dc", 0)
    w = current_of(0.15)

    def mean_weight(target, source):
        if source % 2:
            return -4.0 * w
        return 2.0 * w if (target, source) == (0, 2) else w

    sizes = [round(scale * n) for n in SIZES]
    synapses = [
        [math.log1p(-p) / math.log1p(-1.0 / (n * m)) if p else 0.0 for p, m in zip(row, SIZES, strict=True)]
        for row, n in zip(PROBABILITIES, SIZES, strict=True)
    ]
    parts = []
    for t, n in enumerate(sizes):
        recurrent = sum(mean_weight(t, s) * synapses[t][s] / SIZES[t] * RATES_HZ[s] for s in range(8))
        lost = recurrent + (w * EXTERNAL[t] * EXTERNAL_HZ if poisson else 0.0)
        direct = 0.0 if poisson else EXTERNAL_HZ * EXTERNAL[t] * w * TAU_SYN * 1e-3
        parts.append(
            nest.Create(
                "iaf_psc_exp",
                n,
                {"C_m": C_M, "tau_m": TAU_M, "tau_syn_ex": TAU_SYN, "tau_syn_in": TAU_SYN, "E_L": -65.0, "V_th": -50.0,
                 "V_reset": -65.0, "t_ref": 2.0, "I_e": direct + 1e-3 * TAU_SYN * (1 - math.sqrt(scale)) * lost,
                 "V_m": random.normal(V_MEAN[t], V_SD[t])},
            )  # fmt: skip
        )
    resolution = order.dt_s * 1e3
    for t, targets in enumerate(parts):
        for s, sources in enumerate(parts):
            n = round(scale * scale * synapses[t][s])
            if n == 0:
                continue
            mean, delay = mean_weight(t, s) / math.sqrt(scale), 0.75 if s % 2 else 1.5
            low, high = (-1e9, 0.0) if s % 2 else (0.0, 1e9)
            synapse = {
                "weight": nest.math.redraw(random.normal(mean, abs(0.1 * mean)), low, high),
                "delay": nest.math.redraw(random.normal(delay, 0.5 * delay), 0.5 * resolution, 1e9),
            }
            nest.Connect(sources, targets, {"rule": "fixed_total_number", "N": n}, synapse)
        if poisson:
            rate = EXTERNAL_HZ * round(scale * EXTERNAL[t])
            generator = nest.Create("poisson_generator", 1, {"rate": rate})
            nest.Connect(generator, targets, "all_to_all", {"weight": w / math.sqrt(scale), "delay": 1.5})
    cells = parts[0]
    for part in parts[1:]:
        cells += part
    return cells, len(cells), None


kernel.measure(build)
