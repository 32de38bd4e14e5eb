//! Collects the handlers that are linked into the program, so that they need not be listed.

use crate::{
    handler::{HandlerDescriptor, Submitted},
    router::{BuildProblem, WebhookRouterBuilder},
};

impl WebhookRouterBuilder {
    /// Adds every function with `#[webhook_handler]` that is linked into the program, in the order
    /// of their modules. Needs the feature `discover`. Logs with `tracing` (`info`) what it found.
    ///
    /// [`handlers`](Self::handlers) with an explicit list is the better default: a list is checked
    /// when you compile. Do not combine the two: a handler that is listed and found counts twice,
    /// and [`build`](Self::build) fails. A second call adds nothing.
    ///
    /// # What can go wrong
    ///
    /// - **The handlers of a whole crate are missing.** The compiler leaves out a crate that the
    ///   program never mentions, also if it is in `Cargo.toml`
    ///   ([inventory#32](https://github.com/dtolnay/inventory/issues/32)). Mention each crate of
    ///   handlers in the program: `use my_handlers as _;`. And say with
    ///   [`expect_handlers`](Self::expect_handlers) how many there are, so that `build` fails when
    ///   one is missing.
    /// - **A handler that should not run does.** All annotated functions are found, also those of
    ///   other routers of the program, and in a unit test those of its test modules.
    /// - **`is listed or discovered 2 times`**: a handler that is found is in
    ///   [`handlers`](Self::handlers) too. Leave it out there.
    /// - **`no handlers were discovered`**: `build` fails if there are none at all.
    ///
    /// ```standalone_crate
    /// # #[cfg(feature = "macros")] {
    /// use uploadcare_hooks::{webhook_handler, FileStored, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.stored")]
    /// async fn archive(event: FileStored) {}
    ///
    /// let hooks = WebhookRouter::builder()
    ///     .signing_secret(SigningSecret::new("7kMVZivndx0ErgvhRKAr")?)
    ///     .discovered_handlers()
    ///     .expect_handlers(1)
    ///     .build()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn discovered_handlers(mut self) -> Self {
        if std::mem::replace(&mut self.has_discovered, true) {
            return self;
        }
        let found = inventory::iter::<Submitted>.into_iter();
        let mut handlers: Vec<_> = found.map(|Submitted(handler)| *handler).collect();
        // The linker decides in which order they are found.
        handlers.sort_by_key(HandlerDescriptor::position);
        if handlers.is_empty() {
            self.add_problem(BuildProblem::NothingDiscovered);
        } else {
            let places: Vec<_> = handlers.iter().map(HandlerDescriptor::place).collect();
            tracing::info!("{} webhook handlers discovered: {}", handlers.len(), places.join(", "));
        }
        self.handlers(handlers)
    }
}

#[cfg(test)]
mod tests {
    use crate::{BuildProblem, SigningSecret, WebhookRouter};

    #[test]
    fn a_program_without_handlers_fails_to_build_with_one_problem() {
        let secret = SigningSecret::new("7kMVZivndx0ErgvhRKAr").unwrap();
        let error = WebhookRouter::builder().signing_secret(secret).discovered_handlers().build().unwrap_err();
        assert!(matches!(error.problems(), [BuildProblem::NothingDiscovered]), "{error}");
        let twice = WebhookRouter::builder().discovered_handlers().discovered_handlers().build().unwrap_err();
        assert_eq!(twice.problems().len(), 1, "{twice}");
    }
}
