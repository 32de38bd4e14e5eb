//! Code that the tests and benchmarks share: deliveries like those of Uploadcare, routers, servers
//! on loopback ports, the storages of a queue, and captured logs.

pub mod deliveries;
pub mod log;
pub mod routers;
pub mod servers;
pub mod storages;
