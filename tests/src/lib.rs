//! Code that the tests and benchmarks share: deliveries like those of Uploadcare, servers on
//! loopback ports, the storages of a queue, and captured logs.

pub mod deliveries;
pub mod log;
pub mod servers;
pub mod storages;
