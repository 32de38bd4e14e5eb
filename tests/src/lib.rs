//! Code that the tests and benchmarks share: deliveries like those of Uploadcare, an application,
//! routers, servers on loopback ports, AWS Lambda, the storages of a queue, what guides quote,
//! texts that people read, and captured logs, spans and metrics.

pub mod application;
pub mod deliveries;
pub mod guides;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod routers;
pub mod servers;
pub mod spans;
pub mod storages;
pub mod texts;
