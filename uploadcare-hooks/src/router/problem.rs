//! What can be wrong with a router that is built. `boot` and the modes find it.

use std::{fmt, time::Duration};

use crate::{message::debug_like_display, signature::SecretError};

/// Why a router could not be built: every problem that was found, one on each line.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
pub struct BuildError {
    problems: Vec<BuildProblem>,
}

impl BuildError {
    pub(super) fn new(problems: Vec<BuildProblem>) -> Self {
        Self { problems }
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.problems.len() == 1 { "problem" } else { "problems" };
        write!(f, "the webhook router cannot be built, {} {plural}:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

debug_like_display!(BuildError);

impl std::error::Error for BuildError {}

/// One reason why a router could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildProblem {
    /// There are no handlers.
    #[error("there are no handlers: list them with `.handlers(webhook_handlers![..])`")]
    NoHandlers,
    /// The program has no annotated function that was linked in.
    #[error(
        "no handlers were discovered: annotate functions with `#[webhook_handler(..)]`, and mention each crate that \
         has some in the program, as in `use my_handlers as _;`, because the compiler leaves out crates that are \
         never mentioned"
    )]
    NothingDiscovered,
    /// There are more or fewer handlers than `expect_handlers` says.
    #[error(
        "`expect_handlers` says {expected}, and there are {}; if `.discovered_handlers()` misses a crate, mention it \
         in the program, as in `use my_handlers as _;`",
        counted(.found)
    )]
    HandlerCount {
        /// What was expected.
        expected: usize,
        /// The names of the handlers.
        found: Vec<&'static str>,
    },
    /// Handlers use the router's secrets, and it has none.
    #[error(
        "no signing secret for {}: add `.signing_secret(SigningSecret::from_env(\"UC_SIGNING_SECRET\")?)`, \
         or `.dangerously_accept_unsigned()` if every client may send deliveries",
        names(.handlers)
    )]
    NoSigningSecret {
        /// The names of the handlers.
        handlers: Vec<&'static str>,
    },
    /// A handler's `secret_env` names a variable without a usable secret.
    #[error("{error} (`secret_env` of {})", names(.handlers))]
    Secret {
        /// What is wrong with the variable.
        error: SecretError,
        /// The names of the handlers.
        handlers: Vec<&'static str>,
    },
    /// Handlers take a state that was not provided.
    #[error(
        "no state of type `{type_name}` was provided, needed by {}: add `.state(..)`{}",
        names(.handlers), given_states(.given)
    )]
    MissingState {
        /// The state's type.
        type_name: String,
        /// The names of the handlers.
        handlers: Vec<&'static str>,
        /// The types of the states that were provided.
        given: Vec<&'static str>,
    },
    /// Two states of one type were provided.
    #[error("two states of type `{type_name}` were provided: wrap one of the two in a type of its own")]
    DuplicateState {
        /// The state's type.
        type_name: &'static str,
    },
    /// Several handlers have one name.
    #[error("{}", duplicate(.name, .places))]
    DuplicateName {
        /// The name.
        name: String,
        /// Where the functions stand; the same place several times if it is one function.
        places: Vec<String>,
    },
    /// One delivery needs more handlers than may run at once, so it would never be acknowledged.
    #[error(
        "`max_concurrent_handlers` is {limit}, and one delivery can need {needed} at once: raise it to {needed} or more"
    )]
    LimitTooLow {
        /// The limit that was set.
        limit: usize,
        /// What one delivery can need.
        needed: usize,
    },
    /// Two options that exclude each other.
    #[error(
        "`.{}(..)` and `.{}(..)` exclude each other: a queue recognises redeliveries by itself, so keep \
         `.queue(..)` alone, or remove it", .options[0], .options[1]
    )]
    ExclusiveOptions {
        /// The builder's options.
        options: [&'static str; 2],
    },
    /// A claim can end while its handler still runs, so that a redelivery would run the handler
    /// again.
    #[error(
        "a claim ends by itself after {lease:?}, and a handler may take {handler_timeout:?}: set a lease of at least \
         {:?}, twice that time, or a shorter `.handler_timeout(..)`",
        .handler_timeout.saturating_mul(2)
    )]
    LeaseTooShort {
        /// After how long a claim ends by itself.
        lease: Duration,
        /// How long a handler may take.
        handler_timeout: Duration,
    },
    /// `deduplicate` has a capacity or a time of zero.
    #[error("`deduplicate` remembers no delivery: give it a capacity and a time of more than zero")]
    RemembersNothing,
    /// `queue_attempts` is zero, or more than storages can count.
    #[error("a job of the queue is tried {attempts} times: give `queue_attempts` or `Retries::new` 1 to {most}")]
    QueueAttempts {
        /// What was set.
        attempts: u32,
        /// The most that can be.
        most: u32,
    },
    /// The delays of `queue_retries` contradict each other.
    #[error(
        "`queue_retries` has delays from {first:?} to {longest:?}: the first must be longer than zero and no longer \
         than the longest, and the longest at most {most:?}"
    )]
    QueueDelays {
        /// The first delay.
        first: Duration,
        /// The longest delay.
        longest: Duration,
        /// The most that the longest can be.
        most: Duration,
    },
    /// `queue_lease` is so short that a worker could not renew it in time.
    #[error("`queue_lease` is {lease:?}: give at least {least:?}")]
    QueueLease {
        /// What was set.
        lease: Duration,
        /// The least that can be.
        least: Duration,
    },
    /// A limit of zero, which lets nothing through.
    #[error("`{option}` is zero, which lets nothing through")]
    Zero {
        /// The builder's option.
        option: &'static str,
    },
}

/// A state is found by its exact type, so a similar one may have been provided.
fn given_states(given: &[&str]) -> String {
    if given.is_empty() {
        String::new()
    } else {
        format!(" with a value of exactly this type; provided: {}", names(given))
    }
}

fn counted(handlers: &[&str]) -> String {
    match handlers.len() {
        0 => "none".to_owned(),
        number => format!("{number}: {}", names(handlers)),
    }
}

/// One function that is there several times needs another way out than two functions.
fn duplicate(name: &str, places: &[String]) -> String {
    match places {
        [first, rest @ ..] if rest.iter().all(|place| place == first) => format!(
            "the handler {first} is listed or discovered {} times: list it once, or leave it out of `.handlers(..)` if \
             `.discovered_handlers()` finds it",
            places.len()
        ),
        _ => format!(
            "several handlers are called `{name}`: {}; list each once, or rename one with `name = \"..\"`",
            places.join(", ")
        ),
    }
}

fn names(handlers: &[&str]) -> String {
    handlers.iter().map(|handler| format!("`{handler}`")).collect::<Vec<_>>().join(", ")
}
