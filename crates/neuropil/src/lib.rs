//! Neuropil: a simulator for spiking and rate-coded neural networks.
