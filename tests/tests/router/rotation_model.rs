//! Random changes of a router's secrets, compared with a list that says what each of them means.

use std::time::Duration;

use proptest::{collection, prelude::*, test_runner::TestRunner};
use tests::routers::deliver_signed;
use tokio::time::{Instant, advance};
use uploadcare_hooks::{SigningSecret, WebhookRouter, webhook_handlers};

use super::{Notes, builder, index};
use tests::deliveries::secret;

#[derive(Debug, Clone, Copy)]
enum Change {
    Accept(usize),
    Replace(usize, Duration),
    Drop(usize),
    Advance(Duration),
    /// A delivery, which makes the router look at its secrets.
    Deliver(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let time = (0_u64..5).prop_map(Duration::from_secs);
    let grace = prop_oneof![5 => time.clone(), 1 => Just(Duration::MAX)];
    prop_oneof![
        (0..SECRETS).prop_map(Change::Accept),
        (0..SECRETS, grace).prop_map(|(secret, grace)| Change::Replace(secret, grace)),
        (0..SECRETS).prop_map(Change::Drop),
        time.prop_map(Change::Advance),
        (0..SECRETS).prop_map(Change::Deliver),
    ]
}

const SECRETS: usize = 4;

/// The secret with this number; that with the number 0 is the one the router was built with.
fn numbered(number: usize) -> SigningSecret {
    if number == 0 { secret() } else { SigningSecret::new(format!("secret number {number}")).unwrap() }
}

/// The secrets that are accepted, the first one first, and until when.
struct Model(Vec<(usize, Option<Instant>)>);

impl Model {
    fn expire(&mut self) {
        let now = Instant::now();
        self.0.retain(|(_, until)| until.is_none_or(|until| now < until));
    }

    fn accepts(&self, secret: usize) -> bool {
        self.0.iter().any(|(known, _)| *known == secret)
    }

    fn accept(&mut self, secret: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == secret) {
            Some((_, until)) => *until = None,
            None => self.0.push((secret, None)),
        }
    }

    fn replace(&mut self, secret: usize, grace: Duration) {
        self.0.retain(|(known, _)| *known != secret);
        let end = Instant::now().checked_add(grace);
        for (_, until) in &mut self.0 {
            *until = [*until, end].into_iter().flatten().min();
        }
        self.0.insert(0, (secret, None));
    }

    fn drop(&mut self, secret: usize) -> bool {
        let accepted = self.accepts(secret);
        self.0.retain(|(known, _)| *known != secret);
        if let Some((_, until)) = self.0.first_mut() {
            *until = None;
        }
        accepted
    }
}

async fn check(hooks: &WebhookRouter, changes: &[Change]) -> Result<(), TestCaseError> {
    let mut model = Model(vec![(0, None)]);
    for change in changes {
        model.expire();
        match *change {
            Change::Accept(secret) => {
                model.accept(secret);
                hooks.accept_secret(&numbered(secret));
            }
            Change::Replace(secret, grace) => {
                model.replace(secret, grace);
                hooks.replace_secret(&numbered(secret), grace);
            }
            Change::Drop(secret) => prop_assert_eq!(hooks.drop_secret(&numbered(secret)), model.drop(secret)),
            Change::Advance(time) => advance(time).await,
            Change::Deliver(secret) => {
                let status = if model.accepts(secret) { 204 } else { 401 };
                prop_assert_eq!(deliver_signed(hooks, &numbered(secret)).await, status);
            }
        }
    }
    model.expire();
    let handler = hooks.handlers().next().unwrap();
    let first = model.0.first().map(|(secret, _)| numbered(*secret));
    prop_assert_eq!(hooks.signing_secret_for(handler), first);
    for secret in 0..SECRETS {
        let status = if model.accepts(secret) { 204 } else { 401 };
        prop_assert_eq!(deliver_signed(hooks, &numbered(secret)).await, status, "secret {}", secret);
    }
    Ok(())
}

#[test]
fn a_router_accepts_after_any_changes_exactly_the_secrets_that_they_mean() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let changes = collection::vec(change(), 0..12);
    let run = |changes: Vec<Change>| {
        let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
        runtime.block_on(check(&hooks, &changes))
    };
    TestRunner::new(config).run(&changes, run).unwrap();
}
