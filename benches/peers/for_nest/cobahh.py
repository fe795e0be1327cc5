"""COBAHH, as `models/cobahh.toml`.

NEST integrates it with adaptive Runge-Kutta-Fehlberg steps, and counts a spike where the potential, above -33 mV, has
passed its maximum. Conductances of this neuron cannot be set, so that one spike in the first step brings each to what
it is in the beginning.
"""

import kernel


def build(order):
    import nest
    from balanced import connect

    cells = nest.Create(
        "hh_cond_exp_traub",
        order.value("n_neurons", 4000),
        {"C_m": 200.0, "g_L": 10.0, "g_Na": 20000.0, "g_K": 6000.0, "E_L": -60.0, "E_Na": 50.0, "E_K": -90.0,
         "V_T": -63.0, "E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "t_ref": 3.0, "I_e": 0.0,
         "V_m": nest.random.normal(-65.0, 5.0)},
    )  # fmt: skip
    first = nest.Create("spike_generator", 1, {"spike_times": [order.dt_s * 1e3]})
    for weight in [nest.random.normal(40.0, 15.0), nest.random.normal(-200.0, 120.0)]:
        nest.Connect(first, cells, "all_to_all", {"weight": weight, "delay": order.dt_s * 1e3})
    connect(order, cells, 6.0, -67.0)
    return cells, len(cells), None


kernel.measure(build)
