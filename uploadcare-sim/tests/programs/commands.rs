//! `serve`, `trigger`, `replay` and `tail`.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    receiver::Receiver,
    served::{Served, program, texts},
};

/// Runs a command against this simulator.
fn run(simulator: &Served, arguments: &[&str]) -> (Option<i32>, String, String) {
    texts(&program(arguments).args(["--server", &simulator.base_url]).output().unwrap())
}

fn subscribed(receiver: &Receiver, delays: &str) -> Served {
    let simulator = Served::start(&["--redelivery-delays", delays]);
    simulator.post("/subscriptions", json!({"target_url": receiver.url(), "event": "file.uploaded"}));
    simulator
}

#[test]
fn a_trigger_has_all_options_and_waits_for_its_deliveries() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    let arguments = [
        "trigger",
        "file.uploaded",
        "--data",
        "original_filename=cat.jpg",
        "--data",
        "metadata.pet=cat",
        "--infected",
        "--label",
        "Cat",
        "--label",
        "Dog",
        "--copies",
        "2",
        "--burst",
        "3",
        "--to-subscription",
        "1",
        "--version",
        "0.7",
        "--wait",
        "20",
    ];
    let (code, stdout, stderr) = run(&simulator, &arguments);
    assert_eq!((code, stderr.as_str(), stdout.lines().count()), (Some(0), "", 6), "{stdout}");
    assert!(stdout.lines().all(|line| line.ends_with(" acknowledged, attempts: 1, last status: 204")), "{stdout}");
    let id = stdout.split(' ').next().unwrap();
    let body = simulator.get(&format!("/deliveries/{id}"))["body"].as_str().unwrap().to_owned();
    let body: Value = serde_json::from_str(&body).unwrap();
    let data = &body["data"];
    assert_eq!((&data["original_filename"], &data["metadata"]["pet"]), (&json!("cat.jpg"), &json!("cat")));
    assert_eq!(data["appdata"]["uc_clamav_virus_scan"]["data"]["infected"], true);
    assert_eq!(data["appdata"]["aws_rekognition_detect_labels"]["data"]["Labels"][1]["Name"], "Dog");
    // Without `--wait`, the ids alone.
    let (code, stdout, _) = run(&simulator, &["trigger", "file.uploaded", "--clean"]);
    assert_eq!((code, stdout.trim().len()), (Some(0), 36), "{stdout}");
    // No subscription gets this one.
    assert_eq!(run(&simulator, &["trigger", "file.stored"]), (Some(0), String::new(), String::new()));
    let (code, _, stderr) = run(&simulator, &["trigger", "file.stored", "--wait", "5"]);
    assert!(code == Some(1) && stderr.contains("no active subscription gets the event"), "{stderr}");
}

#[test]
fn a_file_is_the_payload_and_names_the_event() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    let payload = "{\"hook\": {\"event\":\n\"file.uploaded\"}, \"data\": {}}";
    let send = |arguments: &[&str], input: &str| {
        let mut command = program(&["trigger", "--file", "-", "--server", &simulator.base_url]);
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        texts(&child.wait_with_output().unwrap())
    };
    let (code, stdout, stderr) = send(&["--wait", "20"], payload);
    assert_eq!(code, Some(0), "{stderr}");
    let id = stdout.split(' ').next().unwrap();
    assert_eq!(simulator.get(&format!("/deliveries/{id}"))["body"], payload);
    let (code, _, stderr) = send(&[], "{}");
    assert!(code == Some(2) && stderr.contains("names no event"), "{stderr}");
    let (code, _, stderr) = send(&["file.uploaded"], "cat");
    assert!(code == Some(1) && stderr.contains("`payload` is no valid JSON"), "{stderr}");
}

#[test]
fn a_delivery_that_fails_or_takes_too_long_is_the_exit_code_1() {
    let receiver = Receiver::start(500);
    let failing = subscribed(&receiver, "10");
    let (code, stdout, stderr) = run(&failing, &["trigger", "file.uploaded", "--wait", "20"]);
    assert!(code == Some(1) && stderr.contains("deliveries that failed: 1"), "{stderr}");
    assert!(stdout.trim_end().ends_with(" failed, attempts: 2, last status: 500"), "{stdout}");
    let slow = subscribed(&receiver, "60000");
    let (code, stdout, stderr) = run(&slow, &["trigger", "file.uploaded", "--wait", "1"]);
    assert!(code == Some(1) && stderr.contains("not acknowledged within 1 seconds: 1"), "{stderr}");
    assert!(stdout.trim_end().ends_with(" waiting, attempts: 1, last status: 500"), "{stdout}");
}

#[test]
fn a_replay_goes_where_it_is_told() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    let (_, stdout, _) = run(&simulator, &["trigger", "file.uploaded", "--wait", "20"]);
    let id = stdout.split(' ').next().unwrap().to_owned();
    simulator.post("/subscriptions", json!({"target_url": receiver.url(), "event": "file.stored"}));
    for (options, copies) in [(&[][..], 1), (&["--to", "all"], 2), (&["--to", "2,1"], 2), (&["--to", "2", "--wait"], 1)]
    {
        let arguments = [&["replay", &id], options].concat();
        let arguments =
            if options.contains(&"--wait") { arguments } else { [&arguments, &["--wait", "20"][..]].concat() };
        let (code, stdout, stderr) = run(&simulator, &arguments);
        assert_eq!((code, stdout.lines().count()), (Some(0), copies), "{options:?}: {stderr}");
    }
    let edited = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(edited.path(), "{\"edited\": true}").unwrap();
    let (_, stdout, _) = run(&simulator, &["replay", &id, "--file", edited.path().to_str().unwrap()]);
    let copy = simulator.get(&format!("/deliveries/{}", stdout.trim()));
    assert_eq!((&copy["body"], &copy["copy_of"]), (&json!("{\"edited\": true}"), &json!(id)));
    for (arguments, code, says) in [
        (&["replay", "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46"][..], 1, "refused (404): no delivery"),
        (&["replay", &id, "--to", "9"], 1, "refused (400): there is no subscription 9"),
        (&["replay", "cat"], 2, "invalid value 'cat'"),
        (&["replay", &id, "--to", "some"], 2, "write `all`, or the ids"),
    ] {
        let (answered, _, stderr) = run(&simulator, arguments);
        assert!(answered == Some(code) && stderr.contains(says), "{arguments:?}: {stderr}");
    }
}

/// Starts `tail`, and waits for its first line.
fn tail(simulator: &Served, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = program(&[&["tail", "--server", &simulator.base_url], arguments].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

fn next(output: &mut BufReader<std::process::ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}

#[test]
fn tail_says_that_it_is_ready_prints_attempts_and_ends_with_its_reader_or_the_simulator() {
    let receiver = Receiver::start(500);
    let simulator = subscribed(&receiver, "10,60000");
    let (mut child, mut json) = tail(&simulator, &["--json", "--event", "file.uploaded"]);
    let ready: Value = serde_json::from_str(&next(&mut json)).unwrap();
    assert_eq!(ready, json!({"ready": true, "server": simulator.base_url}));
    let (mut other, mut readable) = tail(&simulator, &["--status", "5xx"]);
    std::thread::sleep(Duration::from_millis(500));
    let (_, id, _) = run(&simulator, &["trigger", "file.uploaded"]);
    for number in [1, 2] {
        let attempt: Value = serde_json::from_str(&next(&mut json)).unwrap();
        assert_eq!((&attempt["attempt"], &attempt["status"]), (&json!(number), &json!(500)));
        assert_eq!(attempt["delivery"], id.trim());
        let line = next(&mut readable);
        let target = receiver.url();
        assert!(line.contains(&format!(" 500 file.uploaded {target} attempt {number} of {id}")), "{line}");
    }
    // The reader of the first one goes away, as with `| head -1`.
    drop(json);
    run(&simulator, &["trigger", "file.uploaded"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    simulator.kill();
    assert_eq!(other.wait().unwrap().code(), Some(3));
}

#[test]
fn a_simulator_that_cannot_be_reached_is_the_exit_code_3_and_wrong_use_2() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("http://{closed}");
    let id = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
    for arguments in [&["tail"][..], &["trigger", "file.uploaded"], &["trigger", "a", "--wait", "1"], &["replay", id]] {
        let (code, stdout, stderr) = texts(&program(arguments).env("UPLOADCARE_SIM_URL", &server).output().unwrap());
        assert_eq!((code, stdout.as_str()), (Some(3), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(&format!("no answer from the simulator at {server}")), "{stderr}");
    }
    for (arguments, says) in [
        (&["trigger"][..], "<EVENT>"),
        (&["trigger", "a", "--infected", "--clean"], "cannot be used with"),
        (&["trigger", "a", "--copies", "1001"], "1..=1000"),
        (&["trigger", "a", "--data", "size"], "write a field and its value"),
        (&["trigger", "a", "--data", "a=1", "--data", "a.b=1"], "stands in something that is no object"),
        (&["trigger", "--file", "/no/such/file"], "`--file /no/such/file` cannot be read"),
        (&["tail", "--server", "ftp://a"], "neither http nor https"),
        (&["tail", "--color"], "unexpected argument"),
        (&["replay"], "<ID>"),
    ] {
        let (code, _, stderr) = texts(&program(arguments).output().unwrap());
        assert!(code == Some(2) && stderr.contains(says), "{arguments:?}: {code:?} {stderr}");
    }
    for command in ["trigger", "replay", "tail"] {
        let (code, stdout, _) = texts(&program(&[command, "--help"]).output().unwrap());
        assert!(code == Some(0) && stdout.contains("Exit codes: 0 "), "{stdout}");
    }
}

#[test]
fn a_filter_that_cannot_be_applied_is_refused() {
    let simulator = Served::start(&[]);
    let (code, stdout, stderr) = run(&simulator, &["tail", "--json", "--status", "teapot"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("refused (400): `status` is \"teapot\""), "{stderr}");
}

#[test]
fn a_token_is_made_where_other_machines_reach_and_taken_from_the_environment() {
    let made = Served::spawn(program(&["--listen", "0.0.0.0:0"]));
    let token = made.link.split("/?token=").nth(1).unwrap();
    assert_eq!(token.len(), 32, "{}", made.link);
    let (code, _, stderr) = run(&made, &["trigger", "file.uploaded"]);
    assert!(code == Some(1) && stderr.contains("refused (401): this simulator wants its token"), "{stderr}");
    assert_eq!(run(&made, &["trigger", "file.uploaded", "--token", token]).0, Some(0));
    let (code, _, stderr) = run(&made, &["trigger", "file.uploaded", "--token", "wrong"]);
    assert!(code == Some(1) && stderr.contains("the token is wrong"), "{stderr}");

    let mut command = program(&["--listen", "127.0.0.1:0"]);
    command.env("UPLOADCARE_SIM_TOKEN", "from-the-environment");
    let given = Served::spawn(command);
    assert!(!given.link.contains("token"), "{}", given.link);
    let mut trigger = program(&["trigger", "file.uploaded", "--server", &given.base_url]);
    assert_eq!(trigger.env("UPLOADCARE_SIM_TOKEN", "from-the-environment").output().unwrap().status.code(), Some(0));
}

#[test]
fn the_start_prints_the_page_first_and_the_lines_for_an_application() {
    let mut command = program(&["--listen", "127.0.0.1:0", "--public-key", "k", "--signing-secret", "own-secret"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let first = next(&mut output);
    let base_url = first.split("/ is the page of this simulator").next().unwrap().to_owned();
    let lines: Vec<_> = output.lines().map(Result::unwrap).take_while(|line| !line.contains("openapi.json")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for line in [
        "export UPLOADCARE_PUBLIC_KEY=k",
        "export UPLOADCARE_SECRET_KEY=demosecretkey",
        &format!("export UPLOADCARE_API_BASE={base_url}"),
        "export UC_SIGNING_SECRET=own-secret",
    ] {
        assert!(lines.iter().any(|printed| printed == line), "{line}: {first} {lines:?}");
    }
    assert!(base_url.starts_with("http://127.0.0.1:"), "{first}");
}
