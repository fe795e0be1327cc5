//! Model and layout to kernels; the only waist between models and machines.
