//! What the list shows while there are no deliveries: three steps to the first one.

use maud::{Markup, html};

use super::{
    layout::command,
    text::{counted, word},
};
use crate::project::Project;

/// The secrets that the simulator uses by default. Others may be real, and are not shown.
const DEMO_KEY: &str = "demosecretkey";
const DEMO_SIGNING_SECRET: &str = "demosigningsecret";

/// How programs reach the simulator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached<'a> {
    /// The host and the port.
    pub(super) address: &'a str,
    /// Whether they need its token.
    pub(super) with_token: bool,
}

/// The steps to the first delivery.
pub(super) fn steps(project: &Project, Reached { address, with_token }: Reached<'_>) -> Markup {
    let keys = &project.keys;
    let signing = &project.signing_secret;
    let signing = if signing == DEMO_SIGNING_SECRET { DEMO_SIGNING_SECRET } else { "(what the simulator printed)" };
    let secret = if keys.secret == DEMO_KEY { DEMO_KEY } else { "(what you gave the simulator)" };
    let variables = format!(
        "export UPLOADCARE_API_BASE={}\nexport UPLOADCARE_PUBLIC_KEY={}\nexport UPLOADCARE_SECRET_KEY={}\nexport \
         UC_SIGNING_SECRET={}",
        word(&format!("http://{address}")),
        word(&keys.public),
        word(secret),
        word(signing)
    );
    let events = format!("http://{address}/_sim/events");
    let header = if with_token { " -H \"Authorization: Bearer $UPLOADCARE_SIM_TOKEN\"" } else { "" };
    let trigger = format!("curl{header} {} -d '{{\"event\": \"file.uploaded\"}}'", word(&events));
    let subscriptions = project.subscriptions();
    html! {
        section.start aria-labelledby="start" {
            h2 #start { "No deliveries yet" }
            p {
                "Uploadcare stores files that people upload. When something happens to a file, it sends your "
                "application a signed JSON message, a webhook. This workbench does the same on your machine, without "
                "an account: you trigger an event, and see here what was sent and what your application answered."
            }
            ol.steps {
                li {
                    h3 { "Start an application that receives webhooks" }
                    p { "Set these variables in its shell. With them, it can subscribe itself through the REST API:" }
                    (command("Variables", &variables))
                    p { "If you have no application yet, start the one in this repository in the same shell:" }
                    (command("Command of the application", "cargo run -p quickstart -- --serve 127.0.0.1:8080"))
                }
                li {
                    h3 { "Subscribe its address to an event" }
                    @if subscriptions.is_empty() {
                        p {
                            a href="/subscriptions#create" { "Create a subscription" }
                            " for the event " code { "file.uploaded" } " and the target URL "
                            code { "http://127.0.0.1:8080/hooks" } "."
                        }
                    } @else {
                        p.done {
                            span.symbol aria-hidden="true" { "✓" }
                            "Done: "
                            a href="/subscriptions" { (counted(subscriptions.len(), "subscription", "subscriptions")) }
                            "."
                        }
                    }
                }
                li {
                    h3 { "Trigger an event" }
                    p { a.button.primary href="/trigger" { "Trigger file.uploaded" } }
                    p {
                        "Or from a shell"
                        @if with_token { " where " code { "UPLOADCARE_SIM_TOKEN" } " is set" }
                        ":"
                    }
                    (command("Command that triggers", &trigger))
                }
            }
        }
    }
}
