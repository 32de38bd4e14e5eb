//! The attempts of a delivery: request, signature, answer.

use maud::{Markup, html};

use super::{
    deliveries,
    json::coloured,
    text::{clock, due, quoted, shown, took},
};
use crate::project::{Answer, Delivery, DeliveryFaultKind, Exchange, SignatureCheck};

/// All attempts, oldest first. The newest is open.
pub(super) fn section(delivery: &Delivery) -> Markup {
    let newest = delivery.attempts.len();
    html! {
        section aria-labelledby="attempts" {
            h2 #attempts { "Attempts" }
            @if newest == 0 { p.empty { "The first attempt is not made yet." } }
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
                        (request(delivery, attempt))
                        (answer(attempt))
                    }
                }
            }
            @if let Some(time) = delivery.next_attempt {
                p.next { "The next attempt is due " (due(time)) "." }
            }
        }
    }
}

fn request(delivery: &Delivery, attempt: &Exchange) -> Markup {
    html! {
        div.request {
            h4 { "Request" }
            (signature(delivery, attempt))
            @if !attempt.request_headers.is_empty() {
                p.first-line { code { "POST " span.url { (shown(&delivery.target_url)) } } }
                (headers("Headers of the request", &attempt.request_headers))
                details id={ "curl-" (attempt.attempt) } {
                    summary { "As a command of curl" }
                    pre role="group" tabindex="0" aria-label="Command" { code { (shown(&curl(delivery, attempt))) } }
                }
            }
        }
    }
}

/// Whether the signature verifies, and why not.
fn signature(delivery: &Delivery, attempt: &Exchange) -> Markup {
    let subscription = delivery.subscription;
    let because = |fault: DeliveryFaultKind| {
        if attempt.faults.contains(&fault) { format!(": the fault {} was on", fault.as_str()) } else { String::new() }
    };
    let (class, symbol, words) = match attempt.signature {
        SignatureCheck::Verifies => {
            ("good", "✓", format!("The signature verifies with the secret of subscription {subscription}"))
        }
        SignatureCheck::Wrong => {
            ("bad", "✕", format!("The signature is wrong{}", because(DeliveryFaultKind::WrongSecret)))
        }
        SignatureCheck::Missing => {
            ("bad", "✕", format!("The signature is missing{}", because(DeliveryFaultKind::MissingSignature)))
        }
        SignatureCheck::NoSecret if attempt.request_headers.is_empty() => ("plain", "–", "Not sent".to_owned()),
        SignatureCheck::NoSecret => ("plain", "–", format!("Not signed: subscription {subscription} has no secret")),
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

fn answer(attempt: &Exchange) -> Markup {
    html! {
        div.answer {
            h4 { "Answer" }
            @match &attempt.answer {
                Some(answer) => {
                    p { (deliveries::status(Some(attempt))) " after " (took(attempt.duration_ms)) }
                    (headers("Headers of the answer", &answer.headers))
                    (body(answer))
                }
                None => {
                    p.signature.bad {
                        span.symbol aria-hidden="true" { "✕" }
                        "There was no answer after " (took(attempt.duration_ms))
                        @if let Some(error) = &attempt.error { ": " (shown(error)) }
                    }
                }
            }
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
    let own = |name: &str| matches!(name, "host" | "content-length");
    let mut command = format!("curl -i {}", quoted(&delivery.target_url));
    for (name, value) in attempt.request_headers.iter().filter(|(name, _)| !own(name)) {
        command.push_str(&format!(" \\\n  -H {}", quoted(&format!("{name}: {value}"))));
    }
    command.push_str(&format!(" \\\n  --data-binary {}", quoted(&delivery.body)));
    command
}
