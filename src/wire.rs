//! The neuron protocol: synapses, signatures, and the HTTP client and server that carry them.
