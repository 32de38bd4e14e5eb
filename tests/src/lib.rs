//! What the tests and benchmarks share: deliveries like Uploadcare's, and real servers on loopback ports.

pub mod deliveries;
pub mod servers;
pub mod storages;
