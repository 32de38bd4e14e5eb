//! Code that the tests and benchmarks share: deliveries like those of Uploadcare, servers on
//! loopback ports, and the storages of a queue.

pub mod deliveries;
pub mod servers;
pub mod storages;
