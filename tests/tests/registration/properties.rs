//! Random subscriptions at Uploadcare, random handlers and options: what holds after every sync.

use std::collections::BTreeSet;

use proptest::{collection, prelude::*, sample::select, sample::subsequence, test_runner::TestRunner};
use tests::deliveries::secret;
use uploadcare_hooks::{
    HandlerDescriptor, SigningSecret, WebhookRouter, registration::Subscriptions, webhook_handlers,
};
use uploadcare_sim::{Simulator, Subscription};

use crate::{BASE, audit, client, count, index, own_secret, simulator, there};

/// Target URLs below the base URL, in more than one spelling.
const OURS: [&str; 6] = ["", "/", "/scans", "/scans/", "/audit", "/not/needed"];

/// Target URLs that look like ours and are not.
const FOREIGN: [&str; 5] = [
    "https://other.example.com/hooks",
    "https://app.example.com/hookshot",
    "https://app.example.com",
    "https://app.example.com:8443/hooks",
    "https://app.example.com.evil.example/hooks",
];

const EVENTS: [&str; 7] = [
    "file.uploaded",
    "file.stored",
    "file.deleted",
    "file.infected",
    "file.info_updated",
    "file.moved",
    "moderation.state_changed",
];

/// The router's secret.
const ROUTERS: &str = "7kMVZivndx0ErgvhRKAr";

/// The place of the handler `audit` in [`HANDLERS`].
const AUDIT: usize = 3;

const SECRETS: [Option<&str>; 4] = [None, Some("another"), Some(ROUTERS), Some("tests")];

/// What each handler needs: events, and the path and the secret.
const HANDLERS: [(&[&str], &str, &str); 4] = [
    (&["file.uploaded"], "", ROUTERS),
    (&["file.stored", "file.deleted"], "", ROUTERS),
    (&["file.deleted"], "/scans", "tests"),
    (&["file.uploaded", "file.stored", "file.deleted", "file.infected", "file.info_updated"], "/audit", ROUTERS),
];

#[derive(Debug, Clone)]
struct Case {
    /// Places in [`HANDLERS`].
    handlers: Vec<usize>,
    there: Vec<Subscription>,
    prune: bool,
    activate: bool,
    replace_outdated: bool,
}

impl Case {
    fn needed(&self) -> Subscriptions {
        let all: [HandlerDescriptor; 4] = webhook_handlers![index, count, own_secret, audit].try_into().unwrap();
        let handlers: Vec<_> = self.handlers.iter().map(|handler| all[*handler]).collect();
        let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap();
        let needed = hooks.subscriptions(BASE).unwrap();
        needed.prune(self.prune).activate(self.activate).replace_outdated(self.replace_outdated)
    }
}

fn subscription() -> impl Strategy<Value = Subscription> {
    let urls = OURS.map(|path| format!("{BASE}{path}")).into_iter().chain(FOREIGN.map(str::to_owned));
    let spelling = ["HTTPS://APP.example.com/hooks".to_owned(), "https://app.example.com:443/hooks/audit".to_owned()];
    let urls: Vec<_> = urls.chain(spelling).collect();
    let versions = ["0.7", "0.6", "0.5", ""].map(|version| Some(version.to_owned())).into_iter().chain([None]);
    let versions: Vec<_> = versions.collect();
    (select(urls), select(&EVENTS), any::<bool>(), select(versions), select(&SECRETS)).prop_map(
        |(url, event, is_active, version, secret)| Subscription {
            is_active,
            version,
            signing_secret: secret.map(str::to_owned),
            ..there(event, &url)
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let handlers = subsequence((0..HANDLERS.len()).collect::<Vec<_>>(), 1..=HANDLERS.len());
    let there = collection::vec(subscription(), 0..12).prop_map(|mut all| {
        // Uploadcare has at most one for each URL and event.
        let mut seen = BTreeSet::new();
        all.retain(|one| seen.insert((one.target_url.clone(), one.event.clone())));
        all
    });
    (handlers, there, any::<[bool; 3]>()).prop_map(|(handlers, there, [prune, activate, replace_outdated])| Case {
        handlers,
        there,
        prune,
        activate,
        replace_outdated,
    })
}

fn is_foreign(one: &Subscription) -> bool {
    FOREIGN.contains(&one.target_url.as_str())
}

/// The event and the path of a subscription of ours, in one spelling.
fn place(one: &Subscription) -> (String, String) {
    let url = one.target_url.to_lowercase().replace("example.com:443", "example.com");
    (one.event.clone(), url.trim_start_matches(BASE).trim_end_matches('/').to_owned())
}

async fn check(case: &Case) -> Result<(), TestCaseError> {
    let simulator = simulator();
    for one in &case.there {
        simulator.subscribe(one.clone());
    }
    let checked = check_with(case, &simulator).await;
    simulator.stop().await;
    checked
}

async fn check_with(case: &Case, simulator: &Simulator) -> Result<(), TestCaseError> {
    let client = client(simulator);
    let before = simulator.subscriptions();
    let done = case.needed().sync(&client).await;
    let done = done.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let after = simulator.subscriptions();

    // Foreign ones are untouched.
    let foreign = |all: &[Subscription]| all.iter().filter(|one| is_foreign(one)).cloned().collect::<Vec<_>>();
    prop_assert_eq!(foreign(&before), foreign(&after), "{}", done);
    prop_assert_eq!(done.foreign, foreign(&before).len());

    // Each needed one is there, and signed with the right secret.
    let needed = case.handlers.iter().flat_map(|handler| {
        let (events, path, _) = HANDLERS[*handler];
        events.iter().map(move |event| ((*event).to_owned(), path.to_owned()))
    });
    let needed: BTreeSet<_> = needed.collect();
    for handler in &case.handlers {
        let (events, path, secret) = HANDLERS[*handler];
        for event in events {
            let here: Vec<_> = after
                .iter()
                .filter(|one| !is_foreign(one) && place(one) == ((*event).to_owned(), path.to_owned()))
                .collect();
            prop_assert!(!here.is_empty(), "{event} at {path:?} is missing\n{done}");
            let all_signed = here.iter().all(|one| one.signing_secret.as_deref() == Some(secret));
            prop_assert!(all_signed, "{event} at {path:?} has another secret\n{done}");
            prop_assert!(
                !case.activate || here.iter().any(|one| one.is_active),
                "{event} at {path:?} is paused\n{done}"
            );
        }
    }

    // Nothing is deleted without `prune`, and only what no handler needs with it.
    let ours = |all: &[Subscription]| all.iter().filter(|one| !is_foreign(one)).map(place).collect::<BTreeSet<_>>();
    let (had, has) = (ours(&before), ours(&after));
    let audits = case.handlers.contains(&AUDIT);
    for gone in had.difference(&has) {
        prop_assert!(case.prune && !needed.contains(gone), "{gone:?} is gone\n{done}");
        let is_known = uploadcare_hooks::EventKind::KNOWN.contains(&gone.0.as_str());
        prop_assert!(is_known || !audits || gone.1 != "/audit", "{gone:?} was taken by `audit`\n{done}");
    }
    for new in has.difference(&had) {
        prop_assert!(needed.contains(new), "{new:?} was made for no handler\n{done}");
    }

    // A second sync writes nothing.
    let needed = case.needed();
    let again = needed.sync(&client).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(again.writes(), 0, "\n{}\nwas planned after\n{}", again, done);
    prop_assert_eq!(&simulator.subscriptions(), &after);

    // A rotation gives the new secret to all that were signed with the router's, and to no other.
    if case.handlers.iter().all(|handler| HANDLERS[*handler].2 != ROUTERS) {
        return Ok(());
    }
    let new = SigningSecret::new("rotated").unwrap();
    let rotated = needed.rotate_secret(&client, new).await;
    let rotated = rotated.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(foreign(&simulator.subscriptions()), foreign(&after), "{}", rotated);
    for one in simulator.subscriptions().iter().filter(|one| !is_foreign(one)) {
        let takes = |handler: &&usize| {
            let (events, path, _) = HANDLERS[**handler];
            let (event, at) = place(one);
            // `audit` takes every event, also those that are not known.
            at == path && (**handler == AUDIT || events.contains(&event.as_str()))
        };
        let Some(handler) = case.handlers.iter().find(takes) else { continue };
        let expected = if HANDLERS[*handler].2 == ROUTERS { "rotated" } else { HANDLERS[*handler].2 };
        prop_assert_eq!(one.signing_secret.as_deref(), Some(expected), "{:?}\n{}", one, rotated);
    }
    Ok(())
}

#[test]
fn a_sync_of_random_subscriptions_ends_in_what_the_handlers_need_and_touches_nothing_else() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) };
    TestRunner::new(config).run(&case(), |case| runtime.block_on(check(&case))).unwrap();
}

/// How many cases: `PROPTEST_CASES`, or as many as a few seconds allow.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}
