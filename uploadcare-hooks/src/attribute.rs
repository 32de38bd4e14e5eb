//! The attribute's documentation stands here, where its examples can be compiled.

/// Makes an `async fn` a handler of deliveries.
///
/// The function stays as it is, so that a unit test can call it. Beside it the attribute puts a type of the same name, for
/// [`webhook_handlers!`](crate::webhook_handlers); importing the name brings both.
///
/// ```
/// use uploadcare_hooks::{webhook_handler, FileUploaded, State};
///
/// #[derive(Clone)]
/// struct Index;
///
/// #[webhook_handler(event = "file.uploaded")]
/// async fn index_upload(event: FileUploaded, State(index): State<Index>) -> Result<(), std::io::Error> {
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let event = FileUploaded::new("f08d7c8a-2971-42e0-ab01-780d9039b40b".parse()?);
/// index_upload(event, State(Index)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What it takes and returns
///
/// Parameters are what implements [`FromDelivery`](crate::FromDelivery): the payload of the handler's event, such as
/// [`FileUploaded`](crate::FileUploaded), and [`Event`](crate::Event), `Arc<Event>`, [`Delivery`](crate::Delivery),
/// [`DeliveryId`](crate::DeliveryId) and [`State<T>`](crate::State). It returns what implements [`IntoOutcome`](crate::IntoOutcome): nothing,
/// or a `Result<(), E>`. Its future must be `Send`.
///
/// # Options
///
/// One of these says which events it takes:
///
/// - `event = "file.uploaded"`: one event.
/// - `events = ["file.stored", "file.deleted"]`: several. It can take an [`Event`](crate::Event), but no single event's payload.
/// - `any`: every event, beside the handlers that name it; also those that this version of the crate does not know.
///
/// These are optional:
///
/// - `version = "0.6"`: deliveries of that payload version only. The old versions (`"0.6"`, `"0.5"` and the empty one, `""`) send
///   `file.uploaded` only, and come as [`v0_6::FileUploaded`](crate::payload::v0_6::FileUploaded) or
///   [`v0_5::FileUploaded`](crate::payload::v0_5::FileUploaded), as they were sent. Without this option a handler takes all versions, lifted into the newest form.
/// - `path = "/scans"`: the path that it answers at, relative to the router's mount. `/` unless set.
/// - `secret_env = "SCAN_SIGNING_SECRET"`: the environment variable with the signing secret of its subscription, in place of the router's.
///   Read when the router is built.
/// - `name = "index_upload"`: its name in logs and errors, unique in a router. That of the function unless set.
/// - `crate = renamed_hooks`: the path to this crate, if it has another name in your manifest.
///
/// ```
/// use uploadcare_hooks::{payload::v0_6, webhook_handler, Event, FileInfected};
///
/// #[webhook_handler(event = "file.infected", path = "/scans", secret_env = "SCAN_SIGNING_SECRET")]
/// async fn quarantine(event: FileInfected) {}
///
/// #[webhook_handler(event = "file.uploaded", version = "0.6", name = "index_old_uploads")]
/// async fn index_old(event: v0_6::FileUploaded) {}
///
/// #[webhook_handler(any)]
/// async fn audit(event: Event) {
///     println!("{}", event.kind());
/// }
/// ```
pub use uploadcare_hooks_macros::webhook_handler;
