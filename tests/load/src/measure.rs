//! Which server is measured when.

use std::{error::Error, time::Duration};

use tokio::runtime::Runtime;

use crate::{
    report::Row,
    servers::{Receiver, Server, Used},
};

/// How long, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Requests that do not count. Node.js compiles what it ran often, and needs several times the
    /// processor time before.
    pub(crate) warm_up: u32,
    pub(crate) rounds: u32,
    pub(crate) time: Duration,
    pub(crate) connections: u32,
}

/// What the rounds of one server add up to.
struct Measured {
    server: Server,
    rates: Vec<f64>,
    requests: u32,
    used: Used,
}

impl Measured {
    fn start(receiver: Receiver, body: &[u8]) -> Result<Self, Box<dyn Error>> {
        let server = Server::start(receiver, body)?;
        Ok(Self { server, rates: Vec::new(), requests: 0, used: Used::default() })
    }

    async fn round(&mut self, plan: Plan) -> Result<(), Box<dyn Error>> {
        let before = self.server.used()?;
        let answered = self.server.target.flood(plan.connections, plan.time).await?;
        self.used.add(before, self.server.used()?);
        self.requests += answered.requests;
        self.rates.push(f64::from(answered.requests) / answered.time.as_secs_f64());
        Ok(())
    }
}

/// Measures all servers with the same body. Also returns for how many requests a second the
/// latencies are.
pub(crate) fn measure(
    receivers: &[Receiver],
    body: &[u8],
    plan: Plan,
    runtime: &Runtime,
) -> Result<(f64, Vec<Row>), Box<dyn Error>> {
    let servers = receivers.iter().map(|receiver| Measured::start(*receiver, body));
    let mut servers = servers.collect::<Result<Vec<_>, _>>()?;
    for Measured { server, .. } in &servers {
        runtime.block_on(server.check())?;
        let mut requests = 0;
        while requests < plan.warm_up {
            requests += runtime.block_on(server.target.flood(plan.connections, plan.time))?.requests;
        }
    }
    for _ in 0..plan.rounds {
        for server in &mut servers {
            runtime.block_on(server.round(plan))?;
        }
    }
    // The same for all, so that latencies can be compared, and at most half of what each can do.
    let half = servers.iter().map(|server| median(&server.rates)).fold(f64::INFINITY, f64::min) / 2.0;
    let rows = servers.iter().map(|Measured { server, rates, requests, used }| {
        let latency = runtime.block_on(server.target.slowest_percent(plan.connections, half, plan.time * 3))?;
        let microseconds = |used: Duration| used.as_secs_f64() * 1e6 / f64::from(*requests);
        Ok(Row {
            receiver: server.receiver,
            rate: median(rates),
            user: microseconds(used.user),
            system: microseconds(used.system),
            latency,
        })
    });
    Ok((half, rows.collect::<Result<_, Box<dyn Error>>>()?))
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
