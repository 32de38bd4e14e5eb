//! Shared by tests and benchmarks: deliveries like Uploadcare's, servers on loopback ports,
//! storages.

pub mod deliveries;
pub mod servers;
pub mod storages;
