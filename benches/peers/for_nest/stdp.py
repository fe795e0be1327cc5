"""Pair-based STDP between Poisson inputs and integrate-and-fire neurons, as `models/stdp.toml`.

With a leak of 10 nS and 100 pF, conductances are ten times those of the model, which are in units of the leak. The weight
changes when a presynaptic spike arrives, for all postsynaptic spikes since the last one, which gives the same weights.
"""

import kernel

RATE_HZ = 15.0


def build(order):
    import nest

    n_inputs = order.value("n_inputs", 1000)
    w_max = 10.0 * order.value("gmax", 0.01)
    cells = nest.Create(
        "iaf_cond_exp",
        order.value("n_cells", 1),
        {"C_m": 100.0, "g_L": 10.0, "E_L": -74.0, "V_th": -54.0, "V_reset": -60.0, "E_ex": 0.0, "tau_syn_ex": 5.0,
         "t_ref": 0.0, "V_m": -60.0, "tau_minus": 20.0},
    )  # fmt: skip
    generator = nest.Create("poisson_generator", 1, {"rate": RATE_HZ})
    inputs = nest.Create("parrot_neuron", n_inputs)
    delay = order.dt_s * 1e3
    nest.Connect(generator, inputs, "all_to_all", {"delay": delay})
    synapse = {
        "synapse_model": "stdp_synapse", "tau_plus": 20.0, "lambda": 0.01, "alpha": 1.05, "mu_plus": 0.0,
        "mu_minus": 0.0, "Wmax": w_max, "weight": nest.random.uniform(0.0, w_max), "delay": delay,
    }  # fmt: skip
    nest.Connect(inputs, cells, "all_to_all", synapse)
    # Parrots, which repeat what the generator sends them, would be counted too.
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    return cells, n_inputs + len(cells), recorder


kernel.measure(build)
