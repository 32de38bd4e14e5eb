//! The long poll.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Api, builder, detail, receiver::Receiver, simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_as_soon_as_one_of_its_numbers_is_reached() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    // The first delivery fails at all four attempts.
    let receiver = Receiver::start(&[500; 4]).await;
    api.subscribe(&receiver.url("/"), "file.stored").await;
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { api.get("/wait?acknowledged=3&failed=1").await }
    });
    api.trigger(json!({"event": "file.stored"})).await;
    let (status, counts) = waiting.await.unwrap();
    assert_eq!((status, &counts["failed"], &counts["acknowledged"]), (200, &json!(1), &json!(0)));
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { api.get("/wait?acknowledged=3").await }
    });
    api.trigger(json!({"event": "file.stored", "copies": 3})).await;
    let expected = json!({"acknowledged": 3, "failed": 1, "finished": 4, "waiting": 0, "complete": true});
    assert_eq!(waiting.await.unwrap(), (200, expected.clone()));
    assert_eq!(api.get("/wait?finished=4").await, (200, expected));
}

#[tokio::test]
async fn a_wait_ends_with_the_counts_when_its_time_is_over() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    api.subscribe(&receiver.url("/"), "file.stored").await;
    api.trigger(json!({"event": "file.stored"})).await;
    api.finished(1).await;
    api.trigger(json!({"event": "file.stored", "delay_ms": 60_000})).await;
    let start = Instant::now();
    let (status, counts) = api.get("/wait?acknowledged=2&timeout_ms=300").await;
    assert!((Duration::from_millis(300)..Duration::from_secs(5)).contains(&start.elapsed()));
    let expected = json!({"acknowledged": 1, "failed": 0, "finished": 1, "waiting": 1, "complete": true});
    assert_eq!((status, counts), (408, expected));
    for (query, says) in [
        ("", "say what to wait for"),
        ("event=file.stored", "say what to wait for"),
        ("acknowledged=-1", "`acknowledged` is \"-1\"; it takes a number"),
        ("acknowledged=1&timeout_ms=600001", "`timeout_ms` is \"600001\"; it takes a number from 0 to 600000"),
        ("acknowledged=1&status=x", "`status` is \"x\""),
        ("acknowledged=1&acknowledged=2", "there twice"),
        ("acknowledge=1", "`acknowledge` is no filter"),
    ] {
        let problem = detail(api.get(&format!("/wait?{query}")).await, 400);
        assert!(problem.contains(says), "{query}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_right_although_the_log_drops_deliveries() {
    let simulator = builder().kept_deliveries(3).start("127.0.0.1:0".parse().unwrap()).unwrap();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    for event in ["file.stored", "file.deleted"] {
        api.subscribe(&receiver.url("/"), event).await;
    }
    let filtered = tokio::spawn({
        let api = api.clone();
        async move { api.get("/wait?acknowledged=20&event=file.stored").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    api.trigger(json!({"event": "file.stored", "copies": 20})).await;
    api.trigger(json!({"event": "file.deleted", "copies": 20})).await;
    assert_eq!(api.finished(40).await["complete"], true);
    assert_eq!(api.get("/search").await.1["deliveries"].as_array().unwrap().len(), 3);
    // The wait saw all of them.
    let (status, counts) = filtered.await.unwrap();
    assert_eq!((status, &counts["acknowledged"], &counts["complete"]), (200, &json!(20), &json!(true)));
    // This one came after most were dropped, and says that its counts are not complete.
    let (status, counts) = api.get("/wait?acknowledged=20&event=file.stored&timeout_ms=0").await;
    assert_eq!((status, &counts["complete"]), (408, &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_choose_what_is_counted() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    for event in ["file.stored", "file.deleted"] {
        api.subscribe(&receiver.url("/"), event).await;
    }
    api.trigger(json!({"event": "file.deleted", "copies": 5})).await;
    api.finished(5).await;
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { api.get("/wait?acknowledged=1&event=file.stored&status=2xx").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    api.trigger(json!({"event": "file.stored"})).await;
    let (status, counts) = waiting.await.unwrap();
    assert_eq!((status, &counts["acknowledged"]), (200, &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_waits_and_streams_at_once() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { api.get("/wait?acknowledged=1").await }
    });
    let stream = api.http.get(format!("{}/_sim/changes", api.base_url)).send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    simulator.stop().await;
    assert_eq!(waiting.await.unwrap().0, 408);
    assert_eq!(stream.text().await.unwrap(), "event: ready\ndata: {\"ready\":true}\n\n");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
