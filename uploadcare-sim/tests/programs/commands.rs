//! `serve`, `trigger`, `replay` and `tail`.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use reqwest::Method;
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
        "--wait=20",
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
}

#[test]
fn an_event_that_no_active_subscription_gets_is_the_exit_code_4_and_says_what_to_do() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    for (event, is_active) in [("comet.seen", true), ("file.deleted", false)] {
        let order = json!({"target_url": receiver.url(), "event": event, "is_active": is_active});
        simulator.post("/subscriptions", order);
    }
    let subscribe = format!("ubscribe to it at {}/subscriptions", simulator.base_url);
    for (event, says) in [
        ("file.stored", format!("; s{subscribe}")),
        ("file.uplaoded", format!("; did you mean `file.uploaded`? Otherwise s{subscribe}")),
        ("uploaded", "did you mean `file.uploaded`?".to_owned()),
        ("comet.sen", "did you mean `comet.seen`?".to_owned()),
        ("moon.rose", format!("; s{subscribe}")),
        ("file.deleted", "; subscription 3 is paused: activate it at http://".to_owned()),
    ] {
        for wait in [&[][..], &["--wait=5"]] {
            let (code, stdout, stderr) = run(&simulator, &[&["trigger", event], wait].concat());
            assert_eq!((code, stdout.as_str()), (Some(4), ""), "{event}: {stderr}");
            let start = format!("uploadcare-sim: no active subscription gets `{event}`, so nothing is delivered");
            assert!(stderr.starts_with(&start) && stderr.contains(&says), "{event}: {stderr}");
        }
    }
    let (code, ..) = run(&simulator, &["trigger", "file.deleted", "--to-subscription", "3", "--wait"]);
    assert_eq!(code, Some(0));
}

#[test]
fn the_seconds_of_wait_need_an_equals_sign_and_the_event_may_follow_it() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    let (code, stdout, stderr) = run(&simulator, &["trigger", "--wait", "file.uploaded"]);
    assert!(code == Some(0) && stdout.contains(" acknowledged, "), "{stderr}");
    for arguments in [&["trigger", "file.uploaded", "--wait", "10"][..], &["trigger", "--wait", "10"]] {
        let (code, _, stderr) = run(&simulator, arguments);
        assert!(code == Some(2) && stderr.contains("write `--wait=10`"), "{stderr}");
    }
    let (code, _, stderr) = run(&simulator, &["trigger", "file.uploaded", "--wait=soon"]);
    assert!(code == Some(2) && stderr.contains("'soon'"), "{stderr}");
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
    let (code, stdout, stderr) = send(&["--wait=20"], payload);
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
    let (code, stdout, stderr) = run(&failing, &["trigger", "file.uploaded", "--wait=20"]);
    assert!(code == Some(1) && stderr.contains("deliveries that failed: 1"), "{stderr}");
    assert!(stdout.trim_end().ends_with(" failed, attempts: 2, last status: 500"), "{stdout}");
    let slow = subscribed(&receiver, "60000");
    let (code, stdout, stderr) = run(&slow, &["trigger", "file.uploaded", "--wait=1"]);
    assert!(code == Some(1) && stderr.contains("not acknowledged within 1 seconds: 1"), "{stderr}");
    assert!(stdout.trim_end().ends_with(" waiting, attempts: 1, last status: 500"), "{stdout}");
    let delayed = Served::start(&["--redelivery-delays", "10"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let order = json!({"target_url": format!("http://{closed}/"), "event": "file.uploaded"});
    delayed.post("/subscriptions", order);
    let (code, stdout, stderr) = run(&delayed, &["trigger", "file.uploaded", "--wait=20"]);
    assert!(code == Some(1) && stdout.trim_end().ends_with(", last status: no_answer"), "{stdout}{stderr}");
    delayed.call(Method::PATCH, "/delivery_faults", Some(json!({"delay": {"probability": 1, "ms": 60_000}})));
    let (_, stdout, _) = run(&delayed, &["trigger", "file.uploaded", "--wait=1"]);
    assert!(stdout.trim_end().ends_with(" waiting, attempts: 0"), "{stdout}");
}

#[test]
fn a_replay_goes_where_it_is_told() {
    let receiver = Receiver::start(204);
    let simulator = subscribed(&receiver, "10");
    let (_, stdout, _) = run(&simulator, &["trigger", "file.uploaded", "--wait=20"]);
    let id = stdout.split(' ').next().unwrap().to_owned();
    simulator.post("/subscriptions", json!({"target_url": receiver.url(), "event": "file.stored"}));
    for (options, copies) in [(&[][..], 1), (&["--to", "all"], 2), (&["--to", "2,1"], 2), (&["--to", "2", "--wait"], 1)]
    {
        let arguments = [&["replay", &id], options].concat();
        let arguments = if options.contains(&"--wait") { arguments } else { [&arguments, &["--wait=20"][..]].concat() };
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
        (&["replay", "cat"], 2, "invalid value 'cat' for '<ID>': write the id of a delivery"),
        (&["replay", &id, "--to", "some"], 2, "write `all`, or the ids"),
    ] {
        let (answered, _, stderr) = run(&simulator, arguments);
        assert!(answered == Some(code) && stderr.contains(says), "{arguments:?}: {stderr}");
    }
}

/// Starts `tail`, and waits until it watches.
fn tail(simulator: &Served, arguments: &[&str]) -> (Child, BufReader<ChildStdout>, BufReader<ChildStderr>) {
    let mut command = program(&[&["tail", "--server", &simulator.base_url], arguments].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    if arguments.contains(&"--json") {
        let ready: Value = serde_json::from_str(&next(&mut output)).unwrap();
        assert_eq!(ready, json!({"ready": true, "server": simulator.base_url}));
    } else {
        assert_eq!(next(&mut errors), format!("uploadcare-sim: watching {}; Ctrl-C ends this\n", simulator.base_url));
    }
    (child, output, errors)
}

fn next(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}

#[test]
fn tail_says_that_it_is_ready_prints_attempts_and_ends_with_its_reader_or_the_simulator() {
    let receiver = Receiver::start(500);
    let simulator = subscribed(&receiver, "10,60000");
    let (mut child, mut json, _) = tail(&simulator, &["--json", "--event", "file.uploaded"]);
    let (mut other, mut readable, mut errors) = tail(&simulator, &["--status", "5xx"]);
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
    assert_eq!(next(&mut errors), "uploadcare-sim: the simulator stopped\n");
    assert_eq!(other.wait().unwrap().code(), Some(3));
}

#[test]
fn an_attempt_without_an_answer_is_no_answer_as_the_filter_says() {
    let simulator = Served::start(&["--redelivery-delays", "60000"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let order = json!({"target_url": format!("http://{closed}/"), "event": "file.uploaded"});
    simulator.post("/subscriptions", order);
    let (mut json_child, mut json, _) = tail(&simulator, &["--json"]);
    let (mut child, mut lines, _errors) = tail(&simulator, &["--status", "no_answer"]);
    run(&simulator, &["trigger", "file.uploaded"]);
    let line = next(&mut lines);
    assert!(line.contains(&format!(" no_answer file.uploaded http://{closed}/ attempt 1 of ")), "{line}");
    let attempt: Value = serde_json::from_str(&next(&mut json)).unwrap();
    assert_eq!(attempt["status"], Value::Null);
    assert!(!attempt["error"].as_str().unwrap().contains("http://"), "{attempt}");
    // The simulator ends in order, and so do those that watch it.
    let (code, output) = simulator.end("TERM");
    assert_eq!(code, Some(0), "{output}");
    assert_eq!([&mut json_child, &mut child].map(|child| child.wait().unwrap().code()), [Some(3), Some(3)]);
}

#[test]
fn a_simulator_that_cannot_be_reached_is_the_exit_code_3_and_wrong_use_2() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("http://{closed}");
    let id = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
    for arguments in [&["tail"][..], &["trigger", "file.uploaded"], &["trigger", "a", "--wait=1"], &["replay", id]] {
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
        (&["tail", "--server", "ftp://a"], "write a URL with http://"),
        (&["tail", "--server", "127.0.0.1:8500"], "write a URL with http://"),
        (&["--listen", "localhost:8500"], "write an IP address and a port"),
        (&["--redelivery-delays", "1s"], "write numbers of milliseconds"),
        (&["replay", "cat"], "write the id of a delivery"),
        (&["tail", "--color"], "unexpected argument"),
        (&["replay"], "<ID>"),
        (&["trigger", "--wait"], "<EVENT>"),
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
fn an_address_that_is_taken_is_named_with_the_option_that_chooses_another() {
    let simulator = Served::start(&[]);
    let address = simulator.base_url.strip_prefix("http://").unwrap();
    let (code, stdout, stderr) = texts(&program(&["--listen", address]).output().unwrap());
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    let says = format!("a simulator may be running there already: look at http://{address}/, or choose another");
    assert!(stderr.contains(&format!("cannot listen on {address}: ")) && stderr.contains(&says), "{stderr}");
    assert!(stderr.contains("`--listen 127.0.0.1:0`"), "{stderr}");
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
    assert!(
        code == Some(1) && stderr.contains("refused (401): this simulator wants its token; give it with `--token`"),
        "{stderr}"
    );
    let documented = ["--listen", "0.0.0.0:0", "--secret-key", "demosecretkey", "--token", "t"];
    let (code, _, stderr) = texts(&program(&documented).output().unwrap());
    assert!(code == Some(1) && stderr.contains("everybody knows the secret key `demosecretkey`"), "{stderr}");
    // It is let in, and there is no subscription.
    assert_eq!(run(&made, &["trigger", "file.uploaded", "--token", token]).0, Some(4));
    let (code, _, stderr) = run(&made, &["trigger", "file.uploaded", "--token", "wrong"]);
    assert!(code == Some(1) && stderr.contains("the token is wrong"), "{stderr}");
    // Everybody knows the default secret key, so another one was made as well.
    let (_, printed) = made.end("TERM");
    let key = printed.lines().find_map(|line| line.strip_prefix("export UPLOADCARE_SECRET_KEY=")).unwrap();
    assert!(key.len() == 32 && !printed.contains("demosecretkey"), "{printed}");

    let mut command = program(&["--listen", "127.0.0.1:0"]);
    command.env("UPLOADCARE_SIM_TOKEN", "from-the-environment");
    let given = Served::spawn(command);
    assert!(!given.link.contains("token"), "{}", given.link);
    let mut trigger = program(&["trigger", "file.uploaded", "--server", &given.base_url]);
    assert_eq!(trigger.env("UPLOADCARE_SIM_TOKEN", "from-the-environment").output().unwrap().status.code(), Some(4));
}

#[test]
fn the_start_prints_the_page_first_and_the_lines_for_an_application() {
    let mut command = program(&["--listen", "127.0.0.1:0", "--public-key", "k", "--signing-secret", "own-secret"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let first = next(&mut output);
    let base_url = first.split("/ is the page of this simulator").next().unwrap().to_owned();
    let lines: Vec<_> = output.lines().map(Result::unwrap).take_while(|line| !line.contains("openapi.json")).collect();
    // The printed command runs in a shell in another folder.
    let command = lines.iter().find(|line| line.contains(" trigger file.uploaded")).unwrap();
    let pasted = Command::new("sh").args(["-c", command]).current_dir("/").output().unwrap();
    let (code, _, stderr) = texts(&pasted);
    assert!(code == Some(4) && stderr.contains("no active subscription gets"), "{command}: {stderr}");
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
