//! Requests over real sockets, to every adapter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bodies;
mod connections;
mod excess;
mod lambda;
mod mounts;
mod raw;
mod rows;
mod table;

use std::net::SocketAddr;

use tests::{
    application::{Application, Held, Seen},
    lambda::{Function, serve},
    servers::Adapter,
};
use uploadcare_hooks::WebhookRouter;

/// An application behind a server.
struct Target {
    adapter: Adapter,
    address: SocketAddr,
    seen: Seen,
    /// `None` if it is in another process.
    router: Option<WebhookRouter>,
    _held: Option<Held>,
}

impl Target {
    async fn start(adapter: Adapter, application: Application) -> Self {
        let seen = Seen::default();
        if adapter == Adapter::Lambda {
            let variables = [("APPLICATION", &*format!("{application:?}"))];
            let function = Function::start(env!("CARGO_BIN_EXE_lambda_function"), &variables).await.unwrap();
            return Self { adapter, address: serve(function).await.unwrap(), seen, router: None, _held: None };
        }
        let (router, held) = application.start(&seen).await.unwrap();
        Self::of(adapter, router, seen, held).await
    }

    /// An application of this router.
    async fn of(adapter: Adapter, router: WebhookRouter, seen: Seen, held: Option<Held>) -> Self {
        let address = adapter.serve(router.clone(), false).await.unwrap();
        Self { adapter, address, seen, router: Some(router), _held: held }
    }

    /// How many requests the router acknowledged and rejected. `None` if it is in another process.
    fn counted(&self) -> Option<(u64, u64)> {
        self.router.as_ref().map(WebhookRouter::stats).map(|stats| (stats.acknowledged, stats.rejected))
    }
}
