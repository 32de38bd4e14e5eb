//! The parameters of a handler: each one sees the whole event, also after another parameter took
//! the payload. The payload is moved instead of copied where that is possible.

use std::sync::{Arc, Mutex};

use super::{builder, deliver};
use uploadcare_hooks::{
    Delivery, DeliveryId, Event, EventKind, FileUploaded, FromDelivery, HandlerContext, HandlerDescriptor,
    HandlerError, State, event, webhook_handler, webhook_handlers,
};

/// The address in memory of a part of the event that a copy has at another address. Texts are not
/// copied.
fn address_of_content(event: &Event) -> usize {
    std::ptr::from_ref(event.file().unwrap().content_info.as_deref().unwrap()).addr()
}

fn address_of_content_in_payload(event: FileUploaded) -> usize {
    address_of_content(&Event::FileUploaded(event))
}

/// A parameter of the application that reads the event without taking it. It holds the address of
/// the information about the file's content.
struct ReadsEvent(usize);

impl<E> FromDelivery<E> for ReadsEvent {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        assert_eq!(context.delivery().kind(), EventKind::FileUploaded);
        Ok(Self(address_of_content(context.delivery().event())))
    }
}

/// A parameter of the application that takes the payload as a handler does. It checks that the
/// event is the same before and after.
struct TakesPayload(FileUploaded);

impl FromDelivery<event::Uploaded> for TakesPayload {
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

fn note_call(calls: &Calls, handler: &'static str) {
    calls.lock().unwrap().push(handler);
}

/// Sends one delivery to these handlers, and checks that it is acknowledged and that each handler
/// is called once.
async fn run_each_once(handlers: Vec<HandlerDescriptor>) {
    let calls = Calls::default();
    let mut names: Vec<_> = handlers.iter().map(HandlerDescriptor::name).collect();
    let hooks = builder(&calls).handlers(handlers).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, 204);
    let mut called = calls.lock().unwrap().clone();
    called.sort_unstable();
    names.sort_unstable();
    assert_eq!(called, names);
}

#[webhook_handler(event = "file.uploaded")]
async fn take_once(payload: TakesPayload, State(calls): State<Calls>) {
    assert!(payload.0.data.original_filename.is_some());
    note_call(&calls, "take_once");
}

#[webhook_handler(event = "file.uploaded")]
async fn take_four_times(
    first: TakesPayload,
    second: TakesPayload,
    payload: FileUploaded,
    third: TakesPayload,
    State(calls): State<Calls>,
) {
    assert!(first.0 == payload && second.0 == payload && third.0 == payload);
    note_call(&calls, "take_four_times");
}

#[tokio::test]
async fn a_parameter_that_takes_the_payload_still_sees_the_event_afterwards() {
    run_each_once(webhook_handlers![take_once]).await;
    run_each_once(webhook_handlers![take_four_times]).await;
    run_each_once(webhook_handlers![take_once, take_four_times]).await;
}

#[webhook_handler(event = "file.uploaded")]
async fn take_after_reading(reads: ReadsEvent, payload: FileUploaded, State(calls): State<Calls>, _id: DeliveryId) {
    assert_eq!(address_of_content_in_payload(payload), reads.0, "the payload was copied instead of moved");
    note_call(&calls, "take_after_reading");
}

#[webhook_handler(event = "file.uploaded")]
async fn take_between_readings(
    before: ReadsEvent,
    payload: FileUploaded,
    State(calls): State<Calls>,
    after: ReadsEvent,
) {
    let moved = address_of_content_in_payload(payload);
    assert_eq!((before.0, after.0), (moved, moved), "the payload was copied instead of moved");
    note_call(&calls, "take_between_readings");
}

#[webhook_handler(any)]
async fn take_event(event: Event, reads: ReadsEvent, State(calls): State<Calls>) {
    assert_eq!(address_of_content(&event), reads.0, "the payload was copied instead of moved");
    note_call(&calls, "take_event");
}

#[webhook_handler(event = "file.uploaded")]
async fn take_payload_twice(first: FileUploaded, reads: ReadsEvent, second: FileUploaded, State(calls): State<Calls>) {
    assert_eq!(first, second);
    assert_eq!(address_of_content_in_payload(second), reads.0, "the payload was copied twice");
    note_call(&calls, "take_payload_twice");
}

#[tokio::test]
async fn a_handler_may_take_the_payload_twice() {
    run_each_once(webhook_handlers![take_payload_twice]).await;
}

#[webhook_handler(event = "file.uploaded")]
async fn take_payload_then_event(payload: FileUploaded, reads: ReadsEvent, event: Event, State(calls): State<Calls>) {
    assert_eq!(address_of_content(&event), reads.0, "the payload was copied instead of moved");
    assert_eq!(Event::FileUploaded(payload), event);
    note_call(&calls, "take_payload_then_event");
}

#[tokio::test]
async fn a_single_handler_gets_the_payload_without_a_copy_wherever_the_parameter_stands() {
    run_each_once(webhook_handlers![take_after_reading]).await;
    run_each_once(webhook_handlers![take_between_readings]).await;
    run_each_once(webhook_handlers![take_event]).await;
    run_each_once(webhook_handlers![take_payload_then_event]).await;
}

#[webhook_handler(event = "file.uploaded")]
async fn share(payload: FileUploaded, delivery: Delivery, event: Arc<Event>, State(calls): State<Calls>) {
    assert_eq!(delivery.event(), &Event::FileUploaded(payload));
    assert_eq!(delivery.event(), &*event);
    assert!(Arc::ptr_eq(&event, &delivery.shared_event()));
    note_call(&calls, "share");
}

#[webhook_handler(event = "file.uploaded")]
async fn keep(reads: ReadsEvent, event: Arc<Event>, State(calls): State<Calls>) {
    assert_eq!(address_of_content(&event), reads.0, "the payload was copied instead of moved");
    note_call(&calls, "keep");
}

#[webhook_handler(event = "file.uploaded")]
async fn keep_twice(first: Arc<Event>, second: Arc<Event>, State(calls): State<Calls>) {
    assert!(Arc::ptr_eq(&first, &second), "the event was copied twice");
    note_call(&calls, "keep_twice");
}

type Kept = Arc<Mutex<Vec<Arc<Event>>>>;

#[webhook_handler(any)]
async fn keep_first(event: Arc<Event>, State(kept): State<Kept>) {
    kept.lock().unwrap().push(event);
}

#[webhook_handler(any)]
async fn keep_second(event: Arc<Event>, State(kept): State<Kept>) {
    kept.lock().unwrap().push(event);
}

#[tokio::test]
async fn handlers_that_keep_the_event_share_one_copy_of_it() {
    run_each_once(webhook_handlers![keep]).await;
    run_each_once(webhook_handlers![keep_twice]).await;

    let kept = Kept::default();
    let hooks = builder(&kept).handlers(webhook_handlers![keep_first, keep_second]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, 204);
    let kept = kept.lock().unwrap();
    assert!(Arc::ptr_eq(&kept[0], &kept[1]), "the event was copied for each handler");
    assert!(kept[0].file().unwrap().original_filename.is_some());
}

#[webhook_handler(event = "file.uploaded")]
async fn read_and_take(ReadsEvent(_): ReadsEvent, payload: FileUploaded, State(calls): State<Calls>) {
    assert!(payload.data.original_filename.is_some());
    note_call(&calls, "read_and_take");
}

#[tokio::test]
async fn parameters_and_handlers_that_share_the_event_each_get_the_whole_event() {
    run_each_once(webhook_handlers![share]).await;
    run_each_once(webhook_handlers![share, read_and_take, take_once]).await;
}

#[webhook_handler(event = "file.uploaded")]
#[allow(clippy::too_many_arguments, reason = "as many as a handler may have")]
async fn take_sixteen(
    before: ReadsEvent,
    copied: FileUploaded,
    id: DeliveryId,
    State(calls): State<Calls>,
    State(second): State<Calls>,
    State(third): State<Calls>,
    State(fourth): State<Calls>,
    State(fifth): State<Calls>,
    State(sixth): State<Calls>,
    State(seventh): State<Calls>,
    State(eighth): State<Calls>,
    State(ninth): State<Calls>,
    missing: Option<State<u8>>,
    delivery: Delivery,
    moved: FileUploaded,
    after: ReadsEvent,
) {
    for other in [&second, &third, &fourth, &fifth, &sixth, &seventh, &eighth, &ninth] {
        assert!(Arc::ptr_eq(&calls, other));
    }
    assert!(missing.is_none());
    assert_eq!((id, &copied), (delivery.id(), &moved));
    assert_eq!(before.0, after.0);
    assert_ne!(address_of_content_in_payload(copied), before.0);
    note_call(&calls, "take_sixteen");
}

#[tokio::test]
async fn a_handler_takes_sixteen_parameters() {
    run_each_once(webhook_handlers![take_sixteen]).await;
}

const LARGE: usize = 64 * 1024;
const STACK: usize = 1024 * 1024;

#[webhook_handler(event = "file.uploaded")]
#[allow(clippy::too_many_arguments, reason = "as many as a handler may have")]
#[allow(clippy::large_stack_arrays, clippy::large_futures, reason = "the future is to be large")]
async fn keep_much(
    _first: DeliveryId,
    _second: DeliveryId,
    _third: DeliveryId,
    _fourth: DeliveryId,
    _fifth: DeliveryId,
    _sixth: DeliveryId,
    _seventh: DeliveryId,
    _eighth: DeliveryId,
    _ninth: DeliveryId,
    _tenth: DeliveryId,
    _eleventh: DeliveryId,
    _twelfth: DeliveryId,
    _thirteenth: DeliveryId,
    _fourteenth: DeliveryId,
    _fifteenth: DeliveryId,
    State(calls): State<Calls>,
) {
    let mut buffer = [0_u8; LARGE];
    tokio::task::yield_now().await;
    buffer.fill(1);
    assert!(buffer.iter().all(|byte| *byte == 1));
    note_call(&calls, "keep_much");
}

/// A copy for each parameter, which it was once, takes twice as much.
#[test]
fn the_future_of_a_handler_is_not_copied_for_each_parameter() {
    let deliver = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run_each_once(webhook_handlers![keep_much]));
    };
    std::thread::Builder::new().stack_size(STACK).spawn(deliver).unwrap().join().unwrap();
}
