//! The process is killed, and another one goes on with its folder.

use std::{collections::BTreeMap, thread::sleep, time::Duration};

use serde_json::{Value, json};

use super::{
    receiver::Receiver,
    served::{Served, program, texts},
};

const SECRET: &str = "kept-secret";

fn subscribe(simulator: &Served, receiver: &Receiver) -> Value {
    let order = json!({"target_url": receiver.url(), "event": "file.stored", "signing_secret": SECRET});
    simulator.post("/subscriptions", order)
}

fn deliveries(simulator: &Served) -> Vec<Value> {
    simulator.get("/search?limit=1000")["deliveries"].as_array().unwrap().clone()
}

#[test]
fn redeliveries_go_on_after_kills_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let delays = ["100"; 100].join(",");
    let start = || Served::start(&["--data-dir", folder.path().to_str().unwrap(), "--redelivery-delays", &delays]);
    let receiver = Receiver::start(500);
    let mut simulator = start();
    let subscription = subscribe(&simulator, &receiver);
    let mut ids = simulator.post("/events", json!({"event": "file.stored", "burst": 10}))["deliveries"].clone();
    let mut before = BTreeMap::new();
    for kill in 1..=4 {
        let got = receiver.got();
        while receiver.got() < got + 15 * kill {
            sleep(Duration::from_millis(1));
        }
        simulator.kill();
        simulator = start();
        assert_eq!(simulator.get("/subscriptions"), json!([subscription]));
        let kept = deliveries(&simulator);
        assert_eq!(kept.len(), 10 * kill);
        for delivery in &kept {
            // Attempts have their numbers in order, and those that were kept once are still there.
            let attempts = delivery["attempts"].as_array().unwrap();
            let numbers: Vec<_> = attempts.iter().map(|attempt| attempt["attempt"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (1..=attempts.len() as u64).collect::<Vec<_>>());
            assert_eq!(delivery["state"], "waiting");
            let known = before.insert(delivery["id"].to_string(), attempts.len()).unwrap_or_default();
            assert!(attempts.len() >= known, "{} {known}", attempts.len());
        }
        let more = simulator.post("/events", json!({"event": "file.stored", "burst": 10}));
        ids.as_array_mut().unwrap().extend(more["deliveries"].as_array().unwrap().clone());
    }
    receiver.answer(204);
    let counts = simulator.get("/wait?acknowledged=50&timeout_ms=20000");
    assert_eq!((&counts["failed"], &counts["waiting"]), (&json!(0), &json!(0)));
    let mut kept = deliveries(&simulator);
    kept.reverse();
    let numbers: Vec<_> = kept.iter().map(|delivery| delivery["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    let kept_ids: Vec<_> = kept.iter().map(|delivery| delivery["id"].clone()).collect();
    assert_eq!(Value::from(kept_ids), ids);
    // The secret was kept with the subscription and with each delivery.
    assert_eq!(receiver.signed_with(SECRET), receiver.got());
    assert_eq!(subscribe(&simulator, &Receiver::start(204))["id"], 2);
}

#[test]
fn a_trigger_that_was_answered_survives_a_kill_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Served::start(&["--data-dir", folder.path().to_str().unwrap(), "--keep", "10"]);
    let receiver = Receiver::start(204);
    let simulator = start();
    subscribe(&simulator, &receiver);
    let order = json!({"event": "file.stored", "copies": 500, "delay_ms": 1500});
    assert_eq!(simulator.post("/events", order)["deliveries"].as_array().unwrap().len(), 500);
    simulator.kill();
    let simulator = start();
    assert_eq!(deliveries(&simulator).len(), 500);
    simulator.get("/wait?acknowledged=500&timeout_ms=20000");
    assert_eq!((deliveries(&simulator).len(), receiver.got()), (10, 500));
    let problem = program(&["--listen", "127.0.0.1:0", "--data-dir", folder.path().to_str().unwrap()]).output();
    let (code, _, stderr) = texts(&problem.unwrap());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another simulator uses the folder"), "{stderr}");
}

/// A limit of the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn after_a_full_disk_has_room_again_the_changes_are_written() {
    use std::process::Command;

    use reqwest::Method;

    let folder = tempfile::tempdir().unwrap();
    let limited = program(&["--listen", "127.0.0.1:0", "--data-dir", folder.path().to_str().unwrap()]);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 3000; exec \"$0\" \"$@\""]);
    command.arg(limited.get_program()).args(limited.get_args());
    let simulator = Served::spawn(command);
    subscribe(&simulator, &Receiver::start(204));
    let order =
        json!({"event": "file.stored", "payload": format!("\"{}\"", "x".repeat(300_000)), "delay_ms": 3_600_000});
    let trigger = || simulator.answer(Method::POST, "/events", Some(order.clone()));
    let (full, problem) = (0..50).map(|_| trigger()).enumerate().find(|(_, (status, _))| *status != 202).unwrap();
    assert_eq!(problem.0, 503, "{problem:?}");
    assert!(problem.1.contains("cannot write to its folder"), "{problem:?}");
    let limit = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &simulator.id().to_string()]).status();
    assert!(limit.unwrap().success());
    let after = trigger();
    assert_eq!(after.0, 202, "{after:?}");
    simulator.kill();
    // The delivery that could not be written at first is kept as well.
    let simulator = Served::start(&["--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(deliveries(&simulator).len(), full + 2);
}

#[test]
fn ctrl_c_and_sigterm_end_it_in_order_and_say_what_was_waiting() {
    let receiver = Receiver::start(500);
    for signal in ["INT", "TERM"] {
        let simulator = Served::start(&["--redelivery-delays", "60000"]);
        let (code, output) = simulator.end(signal);
        assert!(code == Some(0) && output.ends_with("\nThe simulator stopped.\n"), "{signal}: {output}");
    }
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    for (options, says) in [
        (vec![], "Waiting deliveries that are lost without `--data-dir`: 1".to_owned()),
        (
            vec!["--data-dir", data_dir],
            format!("Deliveries that are sent after the next start with `--data-dir {data_dir}`: 1"),
        ),
    ] {
        let simulator = Served::start(&[&options[..], &["--redelivery-delays", "60000"]].concat());
        subscribe(&simulator, &receiver);
        simulator.post("/events", json!({"event": "file.stored"}));
        let (code, output) = simulator.end("TERM");
        assert!(code == Some(0) && output.ends_with(&format!("The simulator stopped. {says}\n")), "{output}");
    }
    let again = Served::start(&["--data-dir", data_dir]);
    assert_eq!(deliveries(&again).len(), 1);
}
