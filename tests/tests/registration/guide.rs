//! The guide to registration shows a program that runs, and quotes what its readers see.

use std::process::{Child, Command, Output, Stdio};

use tests::guides::{assert_quoted, assert_shown};
use uploadcare_hooks::{
    FileUploaded, SigningSecret, WebhookRouter,
    client::{Client, ClientBuilder},
    registration::RegistrationError,
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::{SimulatedEvent, Simulator};

use crate::{BASE, client, secret, simulator, there};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/registration.md");

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", secret_env = "CARGO_PKG_NAME")]
async fn scan(_event: FileUploaded) {}

fn hooks() -> WebhookRouter {
    WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index_upload]).build().unwrap()
}

/// The program of the guide, pointed at a simulator.
fn program(simulator: &Simulator, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guide_registration"));
    command
        .env("UPLOADCARE_PUBLIC_KEY", "demopublickey")
        .env("UPLOADCARE_SECRET_KEY", "demosecretkey")
        .env("UPLOADCARE_API_BASE", simulator.base_url())
        .env("UC_SIGNING_SECRET", "demosigningsecret")
        .env("WEBHOOK_URL", format!("http://{listen}/hooks"))
        .env("LISTEN", listen)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends the program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn its_program_plans_registers_and_takes_a_delivery() {
    assert_shown(GUIDE, include_str!("../../src/bin/guide_registration.rs"));
    let simulator = simulator();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();

    let plan = program(&simulator, &listen).arg("plan").output().unwrap();
    let text = String::from_utf8_lossy(&plan.stdout);
    assert!(text.contains("+ create  file.uploaded      http://127.0.0.1"), "{text}{}", stderr(&plan));
    let in_use = program(&simulator, &listen).output().unwrap();
    assert!(!in_use.status.success(), "the address is taken");
    assert!(simulator.subscriptions().is_empty(), "neither has changed anything");

    drop(taken);
    let _running = Running(program(&simulator, &listen).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    crate::wait_until("it is subscribed", || !simulator.subscriptions().is_empty()).await;
    simulator.trigger(&SimulatedEvent::new("file.uploaded"));
    crate::wait_until("it acknowledges", || simulator.attempts().iter().any(|attempt| attempt.status == Some(204)))
        .await;
}

#[test]
fn the_guide_quotes_what_is_wrong_with_the_variables() {
    let simulator = simulator();
    let with = |variable: &str, value: Option<&str>| {
        let mut command = program(&simulator, "127.0.0.1:1");
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
        stderr(&command.arg("plan").output().unwrap())
    };
    let quoted = |message: &str, start: &str, end: &str| {
        let at = message.find(start).unwrap_or_else(|| panic!("no {start:?} in {message}"));
        assert_quoted(GUIDE, &message[at..], end);
    };
    quoted(&with("UPLOADCARE_PUBLIC_KEY", None), "the client cannot", "API keys page");
    quoted(&with("UPLOADCARE_API_BASE", Some("")), "the client cannot", "api.uploadcare.com");
    quoted(&with("UPLOADCARE_API_BASE", Some("http://api.example.com")), "the client cannot", "a simulator's)");
    quoted(&with("WEBHOOK_URL", Some("app.example.com/hooks")), "the base URL", "app.example.com/hooks");
    quoted(&with("WEBHOOK_URL", Some("app.example.com/hooks")), "give the address", "https://app.example.com/hooks");
    let unset = with("WEBHOOK_URL", None);
    assert!(unset.contains("WEBHOOK_URL: environment variable not found"), "{unset}");
}

#[tokio::test]
async fn the_guide_quotes_what_plan_and_sync_say() {
    let simulator = simulator();
    let hooks = hooks();
    // The client of a simulator on this machine leaves this finding out.
    let finding = uploadcare_hooks::registration::Finding::TargetIsLocal.to_string();
    assert_quoted(GUIDE, &finding, "from outside");
    let mut paused = there("file.uploaded", BASE);
    paused.is_active = false;
    simulator.subscribe(paused);
    let plan = hooks.subscriptions(BASE).unwrap().plan(&client(&simulator)).await.unwrap().to_string();
    assert_quoted(GUIDE, &plan[plan.find("it is paused").unwrap()..], ".activate(true)`");
    let plain = hooks.subscriptions("http://app.example.com").unwrap().plan(&client(&simulator)).await.unwrap();
    assert_quoted(GUIDE, &plain.to_string()[plain.to_string().find("plain http").unwrap()..], "deliveries");

    let builder: ClientBuilder = Client::builder("demopublickey", "another");
    let stranger = builder.base_url(simulator.base_url()).build().unwrap();
    let error = hooks.subscriptions(BASE).unwrap().sync(&stranger).await.unwrap_err().to_string();
    assert_quoted(GUIDE, &error, "accept the keys: ");
    assert_quoted(GUIDE, &error[error.find("; check that both").unwrap()..], "is refused");
    assert_quoted(GUIDE, &RegistrationError::NothingToRotate.to_string(), "restart instead");

    let conflict = WebhookRouter::builder().signing_secret(SigningSecret::new("another").unwrap());
    let conflict = conflict.handlers(webhook_handlers![index_upload, scan]).build().unwrap();
    let error = conflict.subscriptions(BASE).unwrap_err().to_string();
    assert_quoted(GUIDE, &error, "another `path`");
}
