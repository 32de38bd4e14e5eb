//! Builds a router, and finds at boot what requests would otherwise fail on.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{
    BuildError, BuildProblem, Core, WebhookRouter, WebhookRouterBuilder,
    keyring::{Keyring, SecretSource},
    observe::{self, Observer},
    routes::{Handler, Route},
};
use crate::{
    handler::HandlerDescriptor,
    payload::{EventKind, PayloadVersion},
    signature::{SecretError, SigningSecret},
};

impl WebhookRouterBuilder {
    /// Checks everything, and builds the router. Logs with `tracing` (`info`) which handlers answer
    /// at which path.
    ///
    /// # Errors
    /// [`BuildError`], which lists all problems at once: no handlers, no signing secret for some of
    /// them, a `secret_env` that is unset or unusable, a state that was not provided, two handlers
    /// with one name, a limit that lets nothing through, options that exclude each other.
    pub fn build(mut self) -> Result<WebhookRouter, BuildError> {
        self.check_handlers();
        self.check_limits();
        self.check_modes();
        let own_secrets = self.read_own_secrets();
        let routes = self.routes(&own_secrets);
        let needed = routes.iter().map(Route::most_at_once).max().unwrap_or(0);
        let limit = self.limits.concurrent_handlers;
        if limit < needed {
            self.problems.push(BuildProblem::LimitTooLow { limit, needed });
        }
        if !self.problems.is_empty() {
            return Err(BuildError::new(self.problems));
        }
        self.log(&routes);
        crate::observe::describe();
        Ok(WebhookRouter {
            core: Arc::new(Core {
                routes,
                keyring: Keyring::new(self.secrets, self.clock.clone()),
                states: Arc::new(self.states),
                accept_unsigned: self.accept_unsigned,
                limits: self.limits,
                permits: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
                mode: self.modes.into_iter().find_map(|mode| mode.build(&self.clock)),
                delivery_key: self.delivery_key,
                observer: Observer::new(self.on_rejection),
                registration: tokio::sync::Mutex::default(),
            }),
        })
    }

    /// Names, states and secrets of the handlers.
    fn check_handlers(&mut self) {
        let nothing_discovered = self.problems.iter().any(|problem| matches!(problem, BuildProblem::NothingDiscovered));
        if self.handlers.is_empty() && !nothing_discovered {
            self.problems.push(BuildProblem::NoHandlers);
        }
        if let Some(expected) = self.expected_handlers.filter(|expected| *expected != self.handlers.len()) {
            let found = self.handlers.iter().map(HandlerDescriptor::name).collect();
            self.problems.push(BuildProblem::HandlerCount { expected, found });
        }
        let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut missing: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        let mut unsigned = Vec::new();
        for handler in &self.handlers {
            places.entry(handler.name()).or_default().push(handler.place());
            for state in handler.required_states().missing_from(&self.states) {
                missing.entry(state).or_default().push(handler.name());
            }
            if handler.secret_env().is_none() && self.secrets.len() == 0 && !self.accept_unsigned {
                unsigned.push(handler.name());
            }
        }
        let duplicates = places.into_iter().filter(|(_, places)| places.len() > 1);
        self.problems
            .extend(duplicates.map(|(name, places)| BuildProblem::DuplicateName { name: name.to_owned(), places }));
        self.problems.extend(missing.into_iter().map(|(type_name, handlers)| BuildProblem::MissingState {
            type_name: type_name.to_owned(),
            handlers,
            given: self.states.type_names().collect(),
        }));
        if !unsigned.is_empty() {
            self.problems.push(BuildProblem::NoSigningSecret { handlers: unsigned });
        }
    }

    fn check_limits(&mut self) {
        let zero = [
            ("body_limit", self.limits.body == 0),
            ("body_timeout", self.limits.body_time.is_zero()),
            ("handler_timeout", self.limits.handler.0 == Some(Duration::ZERO)),
        ];
        let zero = zero.iter().filter(|(_, is_zero)| *is_zero);
        self.problems.extend(zero.map(|(option, _)| BuildProblem::Zero { option }));
    }

    fn check_modes(&mut self) {
        for mode in &self.modes {
            self.problems.extend(mode.problems(&self.limits));
        }
        let mut chosen = self.modes.iter().filter_map(|mode| mode.chosen_by());
        if let (Some(one), Some(other)) = (chosen.next(), chosen.next()) {
            self.problems.push(BuildProblem::ExclusiveOptions { options: [one, other] });
        }
    }

    /// Reads each `secret_env` once, adds its secret, and returns the position of each.
    fn read_own_secrets(&mut self) -> BTreeMap<&'static str, usize> {
        let mut positions = BTreeMap::new();
        let mut failed = BTreeMap::<&str, (SecretError, Vec<&'static str>)>::new();
        for handler in &self.handlers {
            let Some(variable) = handler.secret_env() else { continue };
            if let Some((_, handlers)) = failed.get_mut(variable) {
                handlers.push(handler.name());
            } else if !positions.contains_key(variable) {
                match SigningSecret::from_env(variable) {
                    Ok(secret) => {
                        positions.insert(variable, self.secrets.add_own(&secret));
                    }
                    Err(error) => {
                        failed.insert(variable, (error, vec![handler.name()]));
                    }
                }
            }
        }
        self.problems.extend(failed.into_values().map(|(error, handlers)| BuildProblem::Secret { error, handlers }));
        positions
    }

    fn routes(&self, own_secrets: &BTreeMap<&'static str, usize>) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        for descriptor in &self.handlers {
            // A variable that could not be read is a problem by now, so its handler never runs.
            let own = descriptor.secret_env().and_then(|variable| own_secrets.get(variable));
            let source = own.map_or(SecretSource::Router, |position| SecretSource::Own(*position));
            let handler = Handler::new(*descriptor, source);
            match routes.iter_mut().find(|route| route.path == descriptor.path()) {
                Some(route) => route.add(handler),
                None => {
                    let mut route = Route::at(descriptor.path());
                    route.add(handler);
                    routes.push(route);
                }
            }
        }
        routes
    }

    fn log(&self, routes: &[Route]) {
        for route in routes {
            observe::route_built(route.path, route.events());
        }
        for handler in &self.handlers {
            if let Some(version) = handler.version().filter(|version| *version != PayloadVersion::V0_7) {
                observe::handler_of_old_version(handler.name(), version.as_str());
            }
        }
        let takes_infected = |handler: &&HandlerDescriptor| {
            handler.event_names().is_some_and(|events| events.contains(&EventKind::FileInfected.as_str()))
        };
        for handler in self.handlers.iter().filter(takes_infected) {
            observe::takes_infected(handler.name());
        }
        if self.accept_unsigned {
            observe::accepts_unsigned();
        }
    }
}
