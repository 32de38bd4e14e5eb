//! Parameters that may be missing, and states behind a pointer.

use std::sync::Arc;

use serde_json::json;
use tests::deliveries::{UUID, payload};
use uploadcare_hooks::{
    FileStored, FileUploaded, FromDelivery, HandlerContext, HandlerError, Payload, State, webhook_handler,
    webhook_handlers,
};

use crate::{Notes, builder, note, send, take_notes};

/// The tenant in the file's metadata.
struct Tenant(String);

impl<E> FromDelivery<E> for Tenant {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        let file = context.delivery().event().file();
        let tenant = file.and_then(|file| file.metadata.get("tenant").cloned());
        tenant.map(String::from).map(Tenant).ok_or_else(|| HandlerError::discard("the file has no tenant"))
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn maybe(tenant: Option<Tenant>, event: Option<FileUploaded>, State(notes): State<Notes>) {
    let name = event.unwrap().data.original_filename.unwrap();
    note(&notes, format!("{name} of {}", tenant.map_or("no tenant".to_owned(), |Tenant(name)| name)));
}

#[webhook_handler(event = "file.stored")]
async fn judged(
    tenant: Result<Tenant, HandlerError>,
    event: Result<FileStored, HandlerError>,
    State(notes): State<Notes>,
) -> Result<(), HandlerError> {
    event?;
    match tenant {
        Ok(Tenant(name)) => note(&notes, name),
        Err(error) => {
            assert!(error.is_discard());
            note(&notes, &error);
            return Err(HandlerError::new(error.to_string()));
        }
    }
    Ok(())
}

fn of_tenant(event: &str, tenant: &str) -> serde_json::Value {
    let mut payload = payload(event);
    payload["data"]["metadata"] = json!({"tenant": tenant});
    payload
}

#[tokio::test]
async fn a_parameter_that_cannot_be_made_is_none_or_an_error_that_the_handler_sees() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![maybe, judged]).build().unwrap();
    for (body, status, seen) in [
        (payload("file.uploaded"), 204, "ananas.jpg of no tenant"),
        (of_tenant("file.uploaded", "acme"), 204, "ananas.jpg of acme"),
        (payload("file.stored"), 500, "the file has no tenant"),
        (of_tenant("file.stored", "acme"), 204, "acme"),
    ] {
        assert_eq!(send(&hooks, body.to_string()).await.status(), status, "{seen}");
        assert_eq!(take_notes(&notes), [seen]);
    }
}

trait Store: Send + Sync {
    fn name(&self) -> String;
}

/// Not `Clone`.
struct Disk;

impl Store for Disk {
    fn name(&self) -> String {
        "disk".to_owned()
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn shared(
    State(disk): State<Arc<Disk>>,
    State(store): State<Arc<dyn Store>>,
    missing: Option<State<u64>>,
    misfit: Option<Payload<Vec<u8>>>,
    State(notes): State<Notes>,
) {
    assert!(missing.is_none() && misfit.is_none());
    note(&notes, format!("{} {}", disk.name(), store.name()));
}

#[tokio::test]
async fn a_state_may_be_behind_an_arc_and_an_optional_one_may_be_missing() {
    let notes = Notes::default();
    let store: Arc<dyn Store> = Arc::new(Disk);
    let builder = builder(&notes).state(Arc::new(Disk)).state(store);
    let hooks = builder.handlers(webhook_handlers![shared]).build().unwrap();
    let event = json!({"hook": {"event": "file.uploaded"}, "data": {"uuid": UUID}});
    assert_eq!(send(&hooks, event.to_string()).await.status(), 204);
    assert_eq!(take_notes(&notes), ["disk disk"]);
}
