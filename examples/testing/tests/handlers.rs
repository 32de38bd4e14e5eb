//! Each question that a test of a handler asks: the function alone, a delivery, what is refused, an
//! old payload, a queue.
#![allow(clippy::unwrap_used, reason = "tests")]

use testing_example::{Files, builder, index_upload, router};
use uploadcare_hooks::{
    FileUploaded, SigningSecret, State,
    testing::{self, HandlerOutcome, MemoryQueue, Sample},
};

#[tokio::test]
async fn the_function_alone_takes_a_payload_that_a_test_builds() {
    let files = Files::default();
    let mut event = FileUploaded::new(Sample::UUID);
    assert_eq!(index_upload(event.clone(), State(files.clone())).await, Err("the file has no name"));
    event.data.original_filename = Some("harbour.jpg".into());
    index_upload(event, State(files.clone())).await.unwrap();
    assert_eq!(files.get(Sample::UUID).as_deref(), Some("harbour.jpg"));
}

#[tokio::test]
async fn a_signed_delivery_reaches_its_handler() {
    let (secret, files) = (testing::secret(), Files::default());
    let hooks = router(secret.clone(), files.clone()).unwrap();
    testing::deliver(&hooks, Sample::of("file.uploaded").sign(&secret)).await.assert_ok();
    assert_eq!(files.get(Sample::UUID).as_deref(), Some("ananas.jpg"));
    testing::deliver(&hooks, Sample::of("file.infected").at("/scans").sign(&secret)).await.assert_ok();
    assert_eq!(files.get(Sample::UUID).as_deref(), Some("infected"));
}

#[tokio::test]
async fn a_delivery_with_another_secret_is_refused() {
    let files = Files::default();
    let hooks = router(testing::secret(), files.clone()).unwrap();
    let forged = Sample::of("file.uploaded").sign(&SigningSecret::new("another").unwrap());
    testing::deliver(&hooks, forged).await.assert_rejected("signature_mismatch");
    assert_eq!(files.get(Sample::UUID), None);
}

#[tokio::test]
async fn a_handler_that_fails_has_the_delivery_sent_again() {
    let secret = testing::secret();
    let hooks = router(secret.clone(), Files::default()).unwrap();
    let nameless = Sample::of("file.uploaded").set("data.original_filename", serde_json::Value::Null);
    let delivered = testing::deliver(&hooks, nameless.sign(&secret)).await;
    assert_eq!(delivered.assert_rejected("handler_failed").status(), 500);
    let outcome = HandlerOutcome::Failed("the file has no name".to_owned());
    assert_eq!(*delivered.outcome_of("index_upload"), outcome);
}

#[tokio::test]
async fn a_payload_of_an_old_version_is_lifted() {
    let (secret, files) = (testing::secret(), Files::default());
    let hooks = router(secret.clone(), files.clone()).unwrap();
    let old = Sample::of("file.uploaded").version("0.5").set("data.original_filename", "old.jpg");
    testing::deliver(&hooks, old.sign(&secret)).await.assert_ok();
    assert_eq!(files.get(Sample::UUID).as_deref(), Some("old.jpg"));
}

#[tokio::test]
async fn with_a_queue_the_delivery_is_stored_first_and_handled_later() {
    let (secret, files, queue) = (testing::secret(), Files::default(), MemoryQueue::new());
    let hooks = builder(secret.clone(), files.clone()).queue(queue.storage()).build().unwrap();
    let delivered = testing::deliver(&hooks, Sample::of("file.uploaded").sign(&secret)).await;
    assert_eq!((delivered.status().as_u16(), files.get(Sample::UUID)), (202, None));
    queue.run_due(&hooks).await;
    assert_eq!(files.get(Sample::UUID).as_deref(), Some("ananas.jpg"));
}
