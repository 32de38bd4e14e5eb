//! What happens to a verified delivery: one trait for all modes, and the mode without any option,
//! which runs the handlers before it answers.

use std::{any::Any, future::ready};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, join_all, lazy},
};

use super::{
    HandlerFailure, Rejection, RejectionReason, WebhookRouter, WebhookRouterBuilder,
    answer::{Acknowledged, Promise},
    builder::Limits,
    problem::BuildProblem,
    routes::Selection,
    stage::{Identified, Verified},
};
use crate::{clock::Clock, delivery::Delivery, payload::EventKind, signature::SignatureError};

/// How a verified request ended.
pub(crate) type Dispatched = Result<Acknowledged, Box<Rejection>>;

/// What a router does with a verified request. Implemented by each mode in a room of its own; the
/// router calls it and knows nothing else of the mode.
pub(crate) trait Dispatch: Any + Send + Sync {
    /// The builder's option that chose the mode.
    fn name(&self) -> &'static str;

    /// Where it remembers or stores deliveries, as [`RouterDescription`](super::RouterDescription)
    /// shows it, without passwords.
    fn storage(&self) -> String;

    /// Handles the delivery.
    fn dispatch<'a>(&'a self, router: &'a WebhookRouter, verified: Verified<'a>) -> BoxFuture<'a, Dispatched>;
}

/// A mode while the router is being built: its options.
pub(crate) trait Mode: Any + Send + Sync {
    /// The builder's option that chose the mode; `None` if it was configured and not chosen.
    fn chosen_by(&self) -> Option<&'static str>;

    /// What is wrong with its options.
    fn problems(&self, limits: &Limits) -> Vec<BuildProblem>;

    /// The mode as the router runs it by this clock, if it was chosen.
    fn build(self: Box<Self>, clock: &Clock) -> Option<Box<dyn Dispatch>>;
}

impl WebhookRouterBuilder {
    /// The options of a mode, to be changed. Starts with its defaults.
    pub(crate) fn mode<M: Mode + Default>(&mut self) -> Option<&mut M> {
        let is_m = |mode: &dyn Any| mode.is::<M>();
        let position = self.modes.iter().position(|mode| is_m(mode.as_ref())).unwrap_or_else(|| {
            self.modes.push(Box::new(M::default()));
            self.modes.len() - 1
        });
        let mode: &mut dyn Any = self.modes.get_mut(position)?.as_mut();
        mode.downcast_mut()
    }
}

impl WebhookRouter {
    /// Runs the handlers, and answers when they have finished.
    // Not an `async fn`: that would hold the request as well as what was read from it.
    #[inline]
    pub(super) fn dispatch_inline<'r>(
        &'r self,
        verified: Verified<'r>,
    ) -> impl Future<Output = Dispatched> + Send + use<'r> {
        match verified.decode() {
            Ok((identified, delivery)) => Either::Left(async move { self.run_handlers(&identified, delivery).await }),
            Err(rejection) => Either::Right(ready(Err(rejection))),
        }
    }

    /// Runs all handlers that want the delivery; succeeds if all of them do.
    // Not an `async fn`: that would hold the selection while the handlers run.
    #[inline]
    pub(crate) fn run_handlers<'a>(
        &'a self,
        identified: &'a Identified<'a>,
        delivery: Delivery,
    ) -> impl Future<Output = Dispatched> + Send + use<'a> {
        match self.wanted_runs(identified, delivery) {
            Ok(Some(runs)) => Either::Left(runs.map(|failures| match failures.as_slice() {
                [] => Ok(identified.acknowledge(Promise::Handled)),
                _ => Err(identified.reject(RejectionReason::HandlersFailed(failures))),
            })),
            Ok(None) => Either::Right(ready(Ok(identified.acknowledge(Promise::Unhandled)))),
            Err(rejection) => Either::Right(ready(Err(rejection))),
        }
    }

    /// The runs of the handlers that want the delivery, together, and which of them failed; `None`
    /// if there are none.
    #[inline]
    fn wanted_runs<'a>(
        &'a self,
        identified: &Identified<'a>,
        delivery: Delivery,
    ) -> Result<Option<impl Future<Output = Vec<HandlerFailure>> + Send + use<'a>>, Box<Rejection>> {
        let selection = self.select(identified)?;
        let Some(first) = selection.iter().next() else { return Ok(None) };
        let wanted = selection.iter().count();
        let limit = self.core.limits.concurrent_handlers;
        let overloaded = || identified.reject(RejectionReason::Overloaded { limit, wanted });
        let many = u32::try_from(wanted).map_err(|_| overloaded())?;
        let permits = self.core.permits.try_acquire_many(many).map_err(|_| overloaded())?;

        let watcher = identified.watcher();
        let runs = match wanted {
            // The usual case. The handler owns the delivery and can move the payload out.
            1 => Either::Left(self.run(first, delivery, watcher).map(Vec::from_iter)),
            _ => {
                // Each begins when it is first polled: its clock and its span start then, and one
                // that was never polled is not logged as dropped.
                let run = |handler| {
                    let delivery = delivery.clone();
                    lazy(move |_| self.run(handler, delivery, watcher)).flatten()
                };
                let runs: Vec<_> = selection.iter().map(run).collect();
                drop(delivery);
                // Boxed, because several handlers are rare and would make the future of every
                // delivery larger.
                Either::Right(Box::pin(join_all(runs)).map(|failures| failures.into_iter().flatten().collect()))
            }
        };
        Ok(Some(runs.map(|failures| {
            drop(permits);
            failures
        })))
    }

    /// Finds the handlers that want a delivery; none if its event has none.
    ///
    /// # Errors
    /// A rejection if its event has handlers, and none of them takes its secret.
    pub(crate) fn select<'r>(&self, identified: &Identified<'r>) -> Result<Selection<'r>, Box<Rejection>> {
        if let EventKind::Other(_) = identified.kind {
            self.core.observer.unknown_event(identified);
        }
        let selection = identified.selection();
        if selection.lacks_secret() {
            return Err(identified.reject(match identified.secret() {
                Some(_) => SignatureError::Mismatch.into(),
                None => RejectionReason::SignatureMissing,
            }));
        }
        if selection.iter().next().is_none() {
            self.core.observer.unhandled(identified);
        }
        Ok(selection)
    }
}
