//! What the commands print: where it cannot be written, what must not be in it, and what a shell
//! makes of it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

use serde_json::json;

use super::{
    receiver::Receiver,
    served::{Served, program, texts},
};

/// An output that has no reader any more.
fn closed() -> Stdio {
    let (_reader, writer) = io::pipe().unwrap();
    writer.into()
}

/// An output on a full disk.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn with_output(simulator: &Served, arguments: &[&str], output: Stdio) -> (Option<i32>, String) {
    let mut command = program(&[arguments, &["--server", &simulator.base_url]].concat());
    let (code, _, stderr) =
        texts(&command.stdout(output).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap());
    (code, stderr)
}

#[test]
fn an_output_that_cannot_be_written_does_not_change_what_became_of_the_deliveries() {
    const NOT_WRITTEN: &str = "uploadcare-sim: the output cannot be written: No space left on device";
    let receiver = Receiver::start(500);
    let simulator = Served::start(&["--redelivery-delays", "10"]);
    simulator.post("/subscriptions", json!({"target_url": receiver.url(), "event": "file.uploaded"}));
    let order = ["trigger", "file.uploaded", "--copies", "3", "--wait=20"];
    for output in [closed(), full()] {
        let (code, stderr) = with_output(&simulator, &order, output);
        assert!(code == Some(1) && stderr.contains("deliveries that failed: 3"), "{code:?} {stderr}");
    }
    receiver.answer(204);
    assert_eq!(with_output(&simulator, &order, closed()), (Some(0), String::new()));
    let (code, stderr) = with_output(&simulator, &order, full());
    assert!(code == Some(0) && stderr.starts_with(NOT_WRITTEN) && stderr.lines().count() == 1, "{code:?} {stderr}");
    // Without `--wait`, the ids are all that there is.
    assert_eq!(with_output(&simulator, &["trigger", "file.uploaded"], closed()), (Some(0), String::new()));
    for arguments in [&["trigger", "file.uploaded"][..], &["tail", "--json"]] {
        let (code, stderr) = with_output(&simulator, arguments, full());
        assert!(code == Some(1) && stderr.starts_with(NOT_WRITTEN), "{arguments:?}: {code:?} {stderr}");
    }
}

#[test]
fn a_simulator_whose_output_has_no_reader_goes_on() {
    let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = closed_port.to_string();
    let mut child: Child = program(&["--listen", &address]).stdout(closed()).spawn().unwrap();
    let reached = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        child.try_wait().unwrap().is_some() || std::net::TcpStream::connect(&address).is_ok()
    });
    assert!(reached && child.try_wait().unwrap().is_none(), "the simulator ended");
    let trigger = program(&["trigger", "a", "--server", &format!("http://{address}")]).output().unwrap();
    assert_eq!(trigger.status.code(), Some(4));
    assert!(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_printed_is_read_by_a_shell_as_it_was_given() {
    let secrets = ["it's $(echo x) $HOME", "a\\b\"c`d`", "plain", "&x=~ *;"];
    for secret in secrets {
        let mut command = program(&["--listen", "127.0.0.1:0", "--public-key", "k $x", "--secret-key", secret]);
        let mut child = command.args(["--signing-secret", secret]).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<_> =
            output.lines().map(Result::unwrap).take_while(|line| !line.contains("openapi.json")).collect();
        let exports = lines.iter().filter(|line| line.starts_with("export ")).cloned();
        let curl =
            lines.iter().skip_while(|line| !line.starts_with("curl ")).take_while(|line| !line.is_empty()).cloned();
        let script: Vec<_> = ["curl() { for word; do printf '%s\\n' \"$word\"; done; }".to_owned()]
            .into_iter()
            .chain(exports)
            .chain(["printf '%s\\n' \"$UPLOADCARE_PUBLIC_KEY\" \"$UPLOADCARE_SECRET_KEY\" \"$UC_SIGNING_SECRET\""
                .to_owned()])
            .chain(curl)
            .collect();
        let pasted = Command::new("sh").args(["-c", &script.join("\n")]).output().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let (code, stdout, stderr) = texts(&pasted);
        let words: Vec<_> = stdout.lines().collect();
        assert_eq!((code, stderr.as_str(), &words[..3]), (Some(0), "", &["k $x", secret, secret][..]), "{script:?}");
        for word in [format!("Authorization: Uploadcare.Simple k $x:{secret}"), format!("signing_secret={secret}")] {
            assert!(words.contains(&word.as_str()), "{word}: {words:?}");
        }
        // curl encodes what follows this option.
        let before = words.iter().position(|word| word.starts_with("signing_secret=")).unwrap() - 1;
        assert_eq!(words[before], "--data-urlencode");
    }
}

#[test]
fn the_password_of_a_url_is_not_printed() {
    let simulator = Served::start(&[]);
    let address = simulator.base_url.strip_prefix("http://").unwrap();
    let with_password = |address: &str| format!("http://someone:s3cr3t@{address}");
    let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let hidden = |output: &Output| {
        let (_, stdout, stderr) = texts(output);
        assert!(!format!("{stdout}{stderr}").contains("s3cr3t"), "{stdout}{stderr}");
        assert!(!format!("{stdout}{stderr}").contains("someone"), "{stdout}{stderr}");
        (output.status.code(), stderr)
    };
    let (code, stderr) = hidden(&program(&["tail", "--server", &with_password(&closed_port)]).output().unwrap());
    assert!(code == Some(3) && stderr.contains(&format!("http://{closed_port}: ")), "{stderr}");
    let (code, stderr) = hidden(&program(&["trigger", "a", "--server", &with_password(address)]).output().unwrap());
    assert!(code == Some(4) && stderr.contains(&format!("at {}/subscriptions", simulator.base_url)), "{stderr}");
    for url in ["ftp://someone:s3cr3t@127.0.0.1", "http://someone:s3cr3t@:x"] {
        let (code, stderr) = hidden(&program(&["tail"]).env("UPLOADCARE_SIM_URL", url).output().unwrap());
        assert!(code == Some(2) && stderr.contains("UPLOADCARE_SIM_URL") && stderr.contains("http://"), "{stderr}");
    }
    let mut child =
        program(&["tail", "--json", "--server", &with_password(address)]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready, json!({"ready": true, "server": simulator.base_url}));
}

#[test]
fn a_receiver_elsewhere_is_reached_through_the_proxy_and_one_on_this_machine_is_not() {
    let proxy = Receiver::start(204);
    let mut command = program(&["--listen", "127.0.0.1:0"]);
    let proxy_url = proxy.url().trim_end_matches("/hooks").to_owned();
    command.env("http_proxy", &proxy_url).env("HTTP_PROXY", &proxy_url).env_remove("no_proxy").env_remove("NO_PROXY");
    let simulator = Served::spawn(command);
    let receiver = Receiver::start(204);
    for (target, event) in [("http://app.example.com/hooks", "a"), (receiver.url(), "b")] {
        simulator.post("/subscriptions", json!({"target_url": target, "event": event}));
        simulator.post("/events", json!({"event": event}));
    }
    let counts = simulator.get("/wait?finished=2&timeout_ms=20000");
    assert_eq!((&counts["acknowledged"], proxy.got(), receiver.got()), (&json!(2), 1, 1), "{counts}");
}
