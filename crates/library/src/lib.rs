//! Built-in neuron, synapse and input models as model text.
