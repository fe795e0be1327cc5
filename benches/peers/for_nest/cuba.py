"""CUBA, as `models/cuba.toml`.

A membrane with the capacitance of 20 pF and a time constant of 20 ms moves by 1 mV under 1 pA, so currents in pA are
the potentials of the model in mV.
"""

import kernel


def build(order):
    import nest
    from balanced import connect

    cells = nest.Create(
        "iaf_psc_exp",
        order.value("n_neurons", 4000),
        {"C_m": 20.0, "tau_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0,
         "t_ref": 5.0, "V_m": nest.random.uniform(-60.0, -50.0)},
    )  # fmt: skip
    connect(order, cells, 60 * 0.27 / 10, -20 * 4.5 / 10)
    return cells, len(cells), None


kernel.measure(build)
