//! What the parameters of a handler see of the event: all of it, whichever of them takes it out.

use std::sync::{Arc, Mutex};

use tests::deliveries::{payload, secret};
use uploadcare_hooks::{
    Delivery, DeliveryId, Event, EventKind, FileUploaded, FromDelivery, HandlerContext, HandlerDescriptor,
    HandlerError, State, WebhookRouter, event, webhook_handler, webhook_handlers,
};

/// Where the text of the file's name is in memory: a copy of the payload has it at another place.
fn address_of_name(event: &Event) -> usize {
    event.file().unwrap().original_filename.as_ref().unwrap().as_ptr().addr()
}

fn address(event: FileUploaded) -> usize {
    address_of_name(&Event::FileUploaded(event))
}

/// A parameter of an application that looks at the event.
struct Looks(usize);

impl<E> FromDelivery<E> for Looks {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        assert_eq!(context.delivery().kind(), EventKind::FileUploaded);
        Ok(Self(address_of_name(context.delivery().event())))
    }
}

/// A parameter of an application that takes the payload as a handler does, and looks at the event
/// before and after.
struct Wraps(FileUploaded);

impl FromDelivery<event::Uploaded> for Wraps {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        let before = context.delivery().event().clone();
        let payload = FileUploaded::from_delivery(context)?;
        let event = <Event as FromDelivery<event::Uploaded>>::from_delivery(context)?;
        assert_eq!(context.delivery().event(), &before);
        assert_eq!((&event, &Event::FileUploaded(payload.clone())), (&before, &before));
        Ok(Self(payload))
    }
}

type Calls = Arc<Mutex<Vec<&'static str>>>;

fn called(calls: &Calls, handler: &'static str) {
    calls.lock().unwrap().push(handler);
}

/// Sends one delivery to these handlers; all of them must be called.
async fn deliver(handlers: Vec<HandlerDescriptor>) {
    let calls = Calls::default();
    let mut names: Vec<_> = handlers.iter().map(HandlerDescriptor::name).collect();
    let builder = WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(&calls));
    let hooks = builder.handlers(handlers).build().unwrap();
    let body = payload("file.uploaded").to_string();
    let request = http::Request::post("/").header("x-uc-signature", secret().sign(body.as_bytes()));
    assert_eq!(hooks.handle(request.body(body.into()).unwrap()).await.status(), 204);
    let mut called = calls.lock().unwrap().clone();
    called.sort_unstable();
    names.sort_unstable();
    assert_eq!(called, names);
}

#[webhook_handler(event = "file.uploaded")]
async fn wrapped(payload: Wraps, State(calls): State<Calls>) {
    assert!(payload.0.data.original_filename.is_some());
    called(&calls, "wrapped");
}

#[webhook_handler(event = "file.uploaded")]
async fn wrapped_twice(first: Wraps, second: Wraps, payload: FileUploaded, third: Wraps, State(calls): State<Calls>) {
    assert!(first.0 == payload && second.0 == payload && third.0 == payload);
    called(&calls, "wrapped_twice");
}

#[tokio::test]
async fn a_parameter_that_takes_the_payload_still_sees_the_event_afterwards() {
    deliver(webhook_handlers![wrapped]).await;
    deliver(webhook_handlers![wrapped_twice]).await;
    deliver(webhook_handlers![wrapped, wrapped_twice]).await;
}

#[webhook_handler(event = "file.uploaded")]
async fn moved(looks: Looks, payload: FileUploaded, State(calls): State<Calls>, _id: DeliveryId) {
    assert_eq!(address(payload), looks.0, "copied");
    called(&calls, "moved");
}

#[webhook_handler(event = "file.uploaded")]
async fn moved_between(before: Looks, payload: FileUploaded, State(calls): State<Calls>, after: Looks) {
    let moved = address(payload);
    assert_eq!((before.0, after.0), (moved, moved), "copied");
    called(&calls, "moved_between");
}

#[webhook_handler(any)]
async fn moved_event(event: Event, looks: Looks, State(calls): State<Calls>) {
    assert_eq!(address_of_name(&event), looks.0, "copied");
    called(&calls, "moved_event");
}

#[webhook_handler(event = "file.uploaded")]
async fn moved_last(payload: FileUploaded, looks: Looks, event: Event, State(calls): State<Calls>) {
    assert_eq!(address_of_name(&event), looks.0, "copied");
    assert_eq!(Event::FileUploaded(payload), event);
    called(&calls, "moved_last");
}

#[tokio::test]
async fn the_only_handler_moves_the_payload_out_whatever_stands_around_it() {
    deliver(webhook_handlers![moved]).await;
    deliver(webhook_handlers![moved_between]).await;
    deliver(webhook_handlers![moved_event]).await;
    deliver(webhook_handlers![moved_last]).await;
}

#[webhook_handler(event = "file.uploaded")]
async fn shared(payload: FileUploaded, delivery: Delivery, event: Arc<Event>, State(calls): State<Calls>) {
    assert_eq!(delivery.event(), &Event::FileUploaded(payload));
    assert_eq!(address_of_name(delivery.event()), address_of_name(&event));
    called(&calls, "shared");
}

#[webhook_handler(event = "file.uploaded")]
async fn second(Looks(_): Looks, payload: FileUploaded, State(calls): State<Calls>) {
    assert!(payload.data.original_filename.is_some());
    called(&calls, "second");
}

#[tokio::test]
async fn what_is_shared_is_copied_and_stays_whole() {
    deliver(webhook_handlers![shared]).await;
    deliver(webhook_handlers![shared, second, wrapped]).await;
}
