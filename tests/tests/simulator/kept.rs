//! What is kept in a file. `uploadcare-sim/tests` kills the program.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use uploadcare_sim::{DeliveryState, Simulator};

use super::{Api, builder, receiver::Receiver};

fn start(folder: &Path) -> std::io::Result<Simulator> {
    builder().data_dir(folder).start("127.0.0.1:0".parse().unwrap())
}

/// The attempts, by the time that they have: attempts that end at once may be listed in another
/// order.
fn by_time(simulator: &Simulator) -> serde_json::Value {
    let mut attempts = simulator.attempts();
    attempts.sort_by_key(|attempt| (attempt.at, attempt.delivery));
    serde_json::to_value(attempts).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let receiver = Receiver::start(&[500]).await;
    let simulator = start(&folder).unwrap();
    let api = Api::of(&simulator);
    api.subscribe(&receiver.url("/"), "file.stored").await;
    let deleted = api.subscribe(&receiver.url("/"), "comet.seen").await;
    api.trigger(json!({"event": "file.stored", "copies": 2})).await;
    api.finished(2).await;
    api.trigger(json!({"event": "file.stored", "delay_ms": 60_000})).await;
    api.delete(&format!("/subscriptions/{deleted}")).await;
    let (subscriptions, deliveries) = (simulator.subscriptions(), simulator.deliveries());
    let attempts = by_time(&simulator);
    simulator.stop().await;

    let simulator = start(&folder).unwrap();
    let api = Api::of(&simulator);
    assert_eq!((simulator.subscriptions(), simulator.deliveries()), (subscriptions, deliveries));
    assert_eq!(by_time(&simulator), attempts);
    assert_eq!(simulator.subscriptions()[0].signing_secret.as_deref(), Some(super::SECRET));
    let counts = api.get("/wait?finished=0").await.1;
    assert_eq!(counts, json!({"acknowledged": 2, "failed": 0, "finished": 2, "waiting": 1, "complete": true}));
    // Ids and numbers go on, that of the deleted subscription included.
    assert_eq!(api.subscribe(&receiver.url("/new"), "file.stored").await, deleted + 1);
    api.trigger(json!({"event": "file.stored"})).await;
    assert_eq!(simulator.deliveries()[0].number, 5);
    // A replay of an old delivery is signed with the secret that the file kept.
    let old = simulator.deliveries().last().unwrap().id;
    api.call(reqwest::Method::POST, &format!("/deliveries/{old}/replay"), None).await;
    api.finished(5).await;
    let signed = receiver.signed();
    // The two copies have the same payload, and one was sent twice.
    assert_eq!(signed.iter().filter(|got| **got == signed[0]).count(), 4);
    api.post("/reset", json!({})).await;
    simulator.stop().await;

    let simulator = start(&folder).unwrap();
    assert_eq!((simulator.subscriptions().len(), simulator.deliveries().len(), simulator.attempts().len()), (0, 0, 0));
    let api = Api::of(&simulator);
    assert_eq!(api.subscribe(&receiver.url("/"), "file.stored").await, deleted + 2);
    api.trigger(json!({"event": "file.stored"})).await;
    assert_eq!(simulator.deliveries()[0].number, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_were_waiting_are_sent_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[500, 500]).await;
    let delays = [Duration::from_millis(10), Duration::from_millis(700), Duration::from_millis(10)];
    let start = || {
        let builder = builder().redelivery_delays(delays).data_dir(folder.path());
        builder.start("127.0.0.1:0".parse().unwrap()).unwrap()
    };
    let simulator = start();
    let api = Api::of(&simulator);
    api.subscribe(&receiver.url("/"), "file.stored").await;
    let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    super::attempts(&simulator, 2).await;
    let begun = Instant::now();
    simulator.stop().await;
    let simulator = start();
    let api = Api::of(&simulator);
    api.finished(1).await;
    // The third attempt comes when it is due, not at once.
    assert!(begun.elapsed() > Duration::from_millis(400), "{:?}", begun.elapsed());
    let delivery = api.delivery(&id).await;
    let statuses = [0, 1, 2].map(|attempt| delivery["attempts"][attempt]["answer"]["status"].as_u64().unwrap());
    assert_eq!((statuses, &delivery["attempts"][2]["attempt"]), ([500, 500, 204], &json!(3)));
    assert_eq!(receiver.signed().len(), 3);
}

#[tokio::test]
async fn the_folder_and_the_file_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    start(&folder).unwrap().stop().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("uploadcare-sim.redb"))), (0o700, 0o600));
}

#[tokio::test]
async fn a_second_simulator_on_one_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = start(folder.path()).unwrap();
    let problem = start(folder.path()).unwrap_err().to_string();
    assert!(problem.starts_with("another simulator uses the folder"), "{problem}");
    simulator.stop().await;
    start(folder.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("uploadcare-sim.redb");
    let receiver = Receiver::start(&[]).await;
    let simulator = start(folder.path()).unwrap();
    let api = Api::of(&simulator);
    api.subscribe(&receiver.url("/"), "file.stored").await;
    api.trigger(json!({"event": "file.stored", "copies": 20})).await;
    api.finished(20).await;
    simulator.stop().await;
    let good = fs::read(&file).unwrap();
    let position = good.windows(12).position(|window| window == b"\"target_url\"").unwrap();
    let mut refused = 0;
    for damage in [
        b"not a database".to_vec(),
        good[..good.len() / 2].to_vec(),
        vec![0; good.len()],
        [&good[..position], b"##########", &good[position + 10..]].concat(),
        [&good[..64], &[255; 64], &good[128..]].concat(),
        [&good[..4096], &vec![255; good.len() - 4096]].concat(),
    ] {
        fs::write(&file, &damage).unwrap();
        match start(folder.path()) {
            Err(problem) => {
                let problem = problem.to_string();
                assert!(problem.contains("uploadcare-sim.redb is damaged"), "{problem}");
                assert!(problem.contains("move the file away"), "{problem}");
                assert_eq!(fs::read(&file).unwrap().len(), damage.len());
                refused += 1;
            }
            // Damage in a place that is free, or of which there is a copy.
            Ok(simulator) => {
                assert_eq!(simulator.deliveries().len(), 20);
                simulator.stop().await;
            }
        }
    }
    assert!(refused >= 4, "{refused}");
    fs::write(&file, good).unwrap();
    assert_eq!(start(folder.path()).unwrap().deliveries().len(), 20);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let problem = start(&file.join("data")).unwrap_err().to_string();
    assert!(problem.starts_with("the folder ") && problem.contains("cannot be used"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_kept_in_few_writes_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[]).await;
    let simulator = builder().kept_deliveries(50).data_dir(folder.path());
    let simulator = simulator.start("127.0.0.1:0".parse().unwrap()).unwrap();
    let api = Api::of(&simulator);
    api.subscribe(&receiver.url("/"), "file.stored").await;
    let begun = Instant::now();
    api.trigger(json!({"event": "file.stored", "copies": 1000})).await;
    let answered = begun.elapsed();
    api.finished(1000).await;
    let finished = begun.elapsed();
    simulator.stop().await;
    let size = fs::metadata(folder.path().join("uploadcare-sim.redb")).unwrap().len();
    println!("kept in {answered:?}, finished in {finished:?}, {size} bytes");
    // A write for each delivery would take longer, even on a fast disk.
    assert!(answered < Duration::from_secs(5), "{answered:?}");
    let simulator = start(folder.path()).unwrap();
    assert_eq!(simulator.deliveries().len(), 50);
    assert!(simulator.deliveries().iter().all(|delivery| delivery.state == DeliveryState::Acknowledged));
    let counts = Api::of(&simulator).get("/wait?finished=0").await.1;
    assert_eq!((&counts["acknowledged"], &counts["complete"]), (&json!(1000), &json!(true)));
}
