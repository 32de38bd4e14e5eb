//! What the compiler says about a method whose feature is not enabled. Such a method is here,
//! hidden, with a bound that it cannot fulfil: instead of "no method named `mount` found" the
//! compiler shows the message of the bound, which names the feature.
#![allow(unused_macros, unused_imports, reason = "all features may be enabled")]
#![allow(missing_docs, unreachable_pub, reason = "nothing here can be called")]

use crate::router::{WebhookRouter, WebhookRouterBuilder};

/// The methods that one feature adds. Those of a builder return it, so that the calls behind them
/// are no further mistakes.
macro_rules! missing {
    (
        $bound:ident, $message:literal, $note:literal;
        $(builder $option:ident($($value:ident),*);)*
        $(router $method:ident($($argument:ident),*);)*
    ) => {
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = $message, label = "the feature is not enabled", note = $note)]
        pub trait $bound: Sized {
            fn never<T>(self) -> T;
        }

        // The compiler would suggest to implement a trait that has no implementation.
        #[diagnostic::do_not_recommend]
        impl $bound for std::convert::Infallible {
            fn never<T>(self) -> T {
                match self {}
            }
        }

        impl WebhookRouterBuilder {
            $(
                #[doc(hidden)]
                pub fn $option(self, $($value: impl Sized),*) -> Self
                where
                    for<'a> Self: $bound,
                {
                    $(let _ = $value;)*
                    self.never()
                }
            )*
        }

        impl WebhookRouter {
            $(
                #[doc(hidden)]
                pub fn $method<T>(&self, $($argument: impl Sized),*) -> T
                where
                    for<'a> Self: $bound,
                {
                    $(let _ = $argument;)*
                    self.clone().never()
                }
            )*
        }
    };
}

#[cfg(not(feature = "actix-web"))]
missing! {
    NeedsActixWeb,
    "`mount` needs the feature `actix-web` of `uploadcare-hooks`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"actix-web\"]`";
    router mount(path);
}

#[cfg(not(feature = "tower"))]
missing! {
    NeedsTower,
    "`into_service` needs the feature `tower` of `uploadcare-hooks`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"tower\"]`";
    router into_service();
}

#[cfg(not(feature = "client"))]
missing! {
    NeedsClient,
    "`subscriptions` needs the feature `client` of `uploadcare-hooks`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"client\"]`";
    router subscriptions(base_url);
}

#[cfg(not(feature = "queue"))]
missing! {
    NeedsQueue,
    "this method needs a queue: enable a feature of `uploadcare-hooks` such as `queue-sqlite`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"queue-sqlite\"]`; other storages are \
     `queue-postgres` and `queue-redis`";
    builder queue(storage);
    builder queue_retries(retries);
    builder queue_attempts(attempts);
    builder queue_concurrency(jobs);
    builder queue_lease(lease);
    builder queue_stop_timeout(limit);
    builder queue_retention(retention);
    router run_worker(stop);
    router dead_jobs(limit);
    router run_again(job);
    router queue_stats();
}

#[cfg(not(feature = "deduplicate"))]
missing! {
    NeedsDeduplicate,
    "`deduplicate` needs the feature `deduplicate` of `uploadcare-hooks`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"deduplicate\"]`";
    builder deduplicate(capacity, ttl);
}

#[cfg(not(feature = "discover"))]
missing! {
    NeedsDiscover,
    "`discovered_handlers` needs the feature `discover` of `uploadcare-hooks`",
    "write in Cargo.toml, at the dependency `uploadcare-hooks`: `features = [\"discover\"]`";
    builder discovered_handlers();
}

#[cfg(not(feature = "testing"))]
missing! {
    NeedsTesting,
    "`clock` needs the feature `testing` of `uploadcare-hooks`",
    "write in Cargo.toml, at `uploadcare-hooks` in `[dev-dependencies]`: `features = [\"testing\"]`";
    builder clock(clock);
}
