//! The attempts of a delivery: request, signature, answer.

use maud::{Markup, html};

use super::{
    deliveries,
    json::coloured,
    layout::command,
    text::{clock, due, quoted, shown, took},
};
use crate::project::{Answer, Delivery, DeliveryFaultKind, Exchange, Project, SignatureCheck};

/// All attempts, oldest first. The newest is open.
pub(super) fn section(project: &Project, delivery: &Delivery) -> Markup {
    let newest = delivery.attempts.len();
    html! {
        section aria-labelledby="attempts" {
            h2 #attempts { "Attempts" }
            @if newest == 0 { p.empty { "No attempt has been made yet." } }
            @for attempt in &delivery.attempts {
                details.attempt id={ "attempt-" (attempt.attempt) } open[attempt.attempt == newest] {
                    summary {
                        h3 { "Attempt " (attempt.attempt) }
                        (deliveries::status(Some(attempt)))
                        span.took { (took(attempt.duration_ms)) }
                        (clock(attempt.started))
                        @for fault in &attempt.faults { span.fault { "⚠ " (fault.as_str()) } }
                    }
                    div.exchange {
                        (request(project, delivery, attempt))
                        (answer(project, delivery, attempt))
                    }
                }
            }
            @if let Some(time) = delivery.next_attempt {
                p.next { "The next attempt is due " (due(time)) "." }
            }
        }
    }
}

fn request(project: &Project, delivery: &Delivery, attempt: &Exchange) -> Markup {
    html! {
        div.request {
            h4 { "Request" }
            (signature(project, delivery, attempt))
            @if !attempt.request_headers.is_empty() {
                p.first-line { code { "POST " span.url { (shown(&delivery.target_url)) } } }
                (headers("Headers of the request", &attempt.request_headers))
                details id={ "curl-" (attempt.attempt) } {
                    summary { "Copy as curl" }
                    (command("Command", &curl(delivery, attempt)))
                }
            }
        }
    }
}

/// The secret of a subscription, compared with the one that signs a delivery: that of the time when
/// the event was triggered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SecretNow {
    Same,
    Another,
    None,
    /// The subscription is deleted.
    Gone,
}

impl SecretNow {
    fn of(project: &Project, delivery: &Delivery) -> Self {
        match project.subscription(delivery.subscription) {
            Err(_) => Self::Gone,
            Ok(known) if known.signing_secret == delivery.signing_secret => Self::Same,
            Ok(known) if known.signing_secret.is_some() => Self::Another,
            Ok(_) => Self::None,
        }
    }
}

/// Whether the signature verifies, and why not.
fn signature(project: &Project, delivery: &Delivery, attempt: &Exchange) -> Markup {
    let subscription = delivery.subscription;
    let now = SecretNow::of(project, delivery);
    let because = |fault: DeliveryFaultKind| {
        if attempt.faults.contains(&fault) { format!(": the fault {} was on", fault.as_str()) } else { String::new() }
    };
    let (class, symbol, words) = match attempt.signature {
        SignatureCheck::Verifies => {
            let verifies = "The signature verifies with";
            match now {
                SecretNow::Same => ("good", "✓", format!("{verifies} the secret of subscription {subscription}")),
                SecretNow::Gone => {
                    let words = format!("{verifies} the secret of subscription {subscription}, which was deleted");
                    ("good", "✓", words)
                }
                SecretNow::Another | SecretNow::None => {
                    let has = if now == SecretNow::None { "none" } else { "another one" };
                    let older = format!("an older secret of subscription {subscription}, which has {has} now");
                    ("plain", "–", format!("{verifies} {older}"))
                }
            }
        }
        SignatureCheck::Wrong => {
            ("bad", "✕", format!("The signature is wrong{}", because(DeliveryFaultKind::WrongSecret)))
        }
        SignatureCheck::Missing => {
            ("bad", "✕", format!("The signature is missing{}", because(DeliveryFaultKind::MissingSignature)))
        }
        SignatureCheck::NoSecret if attempt.request_headers.is_empty() => ("plain", "–", "Not sent".to_owned()),
        SignatureCheck::NoSecret if now == SecretNow::Same => {
            ("plain", "–", format!("Not signed: subscription {subscription} has no secret"))
        }
        SignatureCheck::NoSecret => {
            let words = format!("Not signed: subscription {subscription} had no secret when the event was triggered");
            ("plain", "–", words)
        }
    };
    html! { p class={ "signature " (class) } { span.symbol aria-hidden="true" { (symbol) } (words) } }
}

fn headers(caption: &str, headers: &[(String, String)]) -> Markup {
    html! {
        table.headers {
            caption.unseen { (caption) }
            thead.unseen { tr { th scope="col" { "Header" } th scope="col" { "Value" } } }
            tbody {
                @for (name, value) in headers { tr { th scope="row" { (shown(name)) } td { (shown(value)) } } }
            }
        }
    }
}

fn answer(project: &Project, delivery: &Delivery, attempt: &Exchange) -> Markup {
    html! {
        div.answer {
            h4 { "Answer" }
            @match &attempt.answer {
                Some(answer) => {
                    p { (deliveries::status(Some(attempt))) " after " (took(attempt.duration_ms)) }
                    (doubt(project, delivery, attempt, answer.status))
                    (headers("Headers of the answer", &answer.headers))
                    (body(answer))
                }
                None => (no_answer(attempt)),
            }
        }
    }
}

fn no_answer(attempt: &Exchange) -> Markup {
    let error = attempt.error.as_deref().unwrap_or_default();
    // What the client of HTTP says first is on the page already. The last cause tells the reason.
    let of_the_client = error.starts_with("error sending request");
    let reason = if of_the_client { error.rsplit(": ").next().unwrap_or_default() } else { error };
    html! {
        p.signature.bad {
            span.symbol aria-hidden="true" { "✕" }
            "There was no answer after " (took(attempt.duration_ms))
            @if !reason.is_empty() { ": " (shown(reason)) }
        }
        @if error.contains("Connection refused") {
            p.hint.likely {
                "Nothing listens at this address. Start the application, or change the target URL of the subscription."
            }
        }
        @if of_the_client { p.hint { "In full: " (shown(error)) } }
    }
}

/// Says what is probably wrong where the answer does not fit the signature.
fn doubt(project: &Project, delivery: &Delivery, attempt: &Exchange, status: u16) -> Markup {
    let id = delivery.subscription;
    let now = SecretNow::of(project, delivery);
    let is_refused = status == 401 && attempt.signature == SignatureCheck::Verifies;
    html! {
        @if is_refused && now == SecretNow::Another {
            p.hint.likely {
                "The application probably has the new secret already. To sign this payload with it, change who gets "
                "it below, and replay it to subscription " (id) "."
            }
        } @else if is_refused && now != SecretNow::None {
            p.hint.likely {
                "The signature is right, so the application probably has another secret. "
                @if now == SecretNow::Same {
                    a href={ "/subscriptions#subscription-" (id) } { "Show the secret of subscription " (id) }
                    " and compare it with the application's."
                } @else {
                    "Subscription " (id) " was deleted: subscribe the application again, with its own secret."
                }
            }
        } @else if (200..300).contains(&status)
            && matches!(attempt.signature, SignatureCheck::Wrong | SignatureCheck::Missing)
        {
            p.hint.likely { "The application accepted this without a right signature, so it probably checks none." }
        }
    }
}

fn body(answer: &Answer) -> Markup {
    html! {
        @if answer.body.is_empty() {
            p.none { "The answer has no body." }
        } @else {
            pre role="group" tabindex="0" aria-label="Body of the answer" { code { (coloured(&answer.body)) } }
            @if answer.body_cut { p.hint { "Only the beginning of the body is kept." } }
        }
    }
}

/// The command that sends the same request.
fn curl(delivery: &Delivery, attempt: &Exchange) -> String {
    // curl writes these itself.
    let own = |name: &str| matches!(name, "host" | "content-length" | "accept");
    let mut command = format!("curl -i {}", quoted(&delivery.target_url));
    for (name, value) in attempt.request_headers.iter().filter(|(name, _)| !own(name)) {
        command.push_str(&format!(" \\\n  -H {}", quoted(&format!("{name}: {value}"))));
    }
    command.push_str(&format!(" \\\n  --data-binary {}", quoted(&delivery.body)));
    command
}
