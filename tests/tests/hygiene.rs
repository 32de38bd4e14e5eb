//! The code that the attribute writes compiles whatever the names around it are, and without
//! warnings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![deny(warnings, missing_docs, unreachable_pub)]
#![forbid(unsafe_code)]

use tests::deliveries::{UUID, payload, secret};
use uploadcare_hooks::{
    Delivery, Event, EventKind, FileStored, FileUploaded, State, WebhookRouter, webhook_handler, webhook_handlers,
};

#[webhook_handler(event = "file.uploaded")]
async fn __out(__out: FileUploaded) {
    drop(__out);
}

#[webhook_handler(event = "file.uploaded")]
async fn r#type(r#type: FileUploaded) {
    drop(r#type);
}

#[webhook_handler(event = "file.uploaded")]
async fn context(context: FileUploaded, State(call): State<usize>) {
    let _ = (context, call);
}

#[webhook_handler(event = "file.uploaded")]
async fn call(State(call): State<usize>) {
    let _ = call;
}

#[webhook_handler(event = "file.uploaded")]
async fn nothing() {}

#[webhook_handler(event = "file.uploaded")]
#[allow(non_snake_case)]
async fn __PARAMETER_0(__PARAMETER_0: FileUploaded, __PARAMETER_1: Event) {
    let _ = (__PARAMETER_0, __PARAMETER_1);
}

/// A handler of a public module, as a crate that denies missing documentation has it.
pub mod shadowed {
    #![allow(dead_code, missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals)]

    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Box;
    pub(crate) struct Vec;
    pub(crate) struct String;
    pub(crate) trait Send {}
    pub(crate) trait Future {}
    pub(crate) trait Fn {}
    pub(crate) trait Webhook {}
    pub(crate) trait Into {}
    pub(crate) fn Ok() {}
    pub(crate) fn Some() {}
    pub(crate) const context: () = ();
    pub(crate) static handler_descriptor: () = ();
    pub(crate) struct declaration;
    pub(crate) struct descriptor;
    pub(crate) struct parameter_0;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod alloc {}
    pub(crate) mod uploadcare_hooks {}
    pub(crate) struct bool;
    pub(crate) struct str;
    pub(crate) struct u32;

    #[::uploadcare_hooks::webhook_handler(event = "file.uploaded", path = "/shadowed", name = "shadowed")]
    pub async fn handler(event: ::uploadcare_hooks::FileUploaded) -> ::core::result::Result<(), ::std::io::Error> {
        drop(event);
        ::core::result::Result::Ok(())
    }

    #[::uploadcare_hooks::webhook_handler(
        events = ["file.stored", "file.deleted"],
        version = "0.7",
        secret_env = "HOME"
    )]
    pub async fn options(_event: ::uploadcare_hooks::Event) {}
}

/// Conditions on the function also hold for what is generated beside it, wherever they stand.
#[webhook_handler(event = "file.stored")]
#[cfg(not(test))]
async fn compiled_without_tests(_event: NoSuchType) {}

#[cfg(not(test))]
#[webhook_handler(event = "file.stored")]
async fn compiled_without_tests_too(_event: NoSuchType) {}

/// The generated code does not warn, wherever the attribute stands and whatever is deprecated.
pub mod deprecated {
    use super::*;

    /// A handler that calls nothing.
    #[webhook_handler(event = "file.stored")]
    #[deprecated(since = "1.0.0", note = "use `wider`")]
    pub async fn below(_event: FileStored) {}

    /// The same with the attributes the other way round.
    #[deprecated]
    #[webhook_handler(event = "file.stored")]
    pub async fn above(_event: FileStored) {}

    #[deprecated]
    pub(crate) type OldName = FileStored;

    /// A handler of a deprecated type.
    #[allow(deprecated)]
    #[webhook_handler(event = "file.stored")]
    pub(crate) async fn parameter(_event: OldName) {}

    #[allow(deprecated)]
    pub(super) fn all() -> Vec<uploadcare_hooks::HandlerDescriptor> {
        webhook_handlers![below, above, parameter]
    }
}

mod visibility {
    use super::*;

    #[webhook_handler(event = "file.stored")]
    pub(in super::visibility) async fn restricted(_event: FileStored) {}

    #[webhook_handler(event = "file.stored")]
    pub(super) async fn wider(_event: FileStored) {}

    pub(super) fn all() -> Vec<uploadcare_hooks::HandlerDescriptor> {
        webhook_handlers![restricted]
    }
}

/// Importing the name brings the function and the type.
use visibility::wider;

#[tokio::test]
async fn handlers_of_any_name_are_called() {
    let mut handlers =
        webhook_handlers![__out, r#type, context, call, nothing, __PARAMETER_0, shadowed::handler, self::wider,];
    handlers.extend(visibility::all());
    let names: Vec<_> = handlers.iter().map(|handler| handler.name()).collect();
    assert_eq!(
        names,
        ["__out", "type", "context", "call", "nothing", "__PARAMETER_0", "shadowed", "wider", "restricted"]
    );
    let hooks = WebhookRouter::builder().signing_secret(secret()).state(3_usize).handlers(handlers).build().unwrap();
    let body = payload("file.uploaded").to_string();
    for path in ["/", "/shadowed"] {
        let request = http::Request::post(path).header("x-uc-signature", secret().sign(body.as_bytes()));
        assert_eq!(hooks.handle(request.body(body.clone().into()).unwrap()).await.status(), 204);
    }
    assert_eq!(hooks.stats().unhandled, 0);
}

#[tokio::test]
async fn a_handler_can_still_be_called() {
    let event = FileUploaded::new(UUID.parse().unwrap());
    context(event.clone(), State(3)).await;
    shadowed::handler(event).await.unwrap();
    wider(FileStored::new(UUID.parse().unwrap())).await;
}

#[test]
fn a_handler_inside_a_function_is_a_handler() {
    #[webhook_handler(any)]
    async fn local(_delivery: Delivery) {}
    let [local] = webhook_handlers![local].try_into().unwrap();
    assert!(local.events().is_none());
}

#[test]
fn a_descriptor_says_what_the_attribute_says() {
    let [handler] = webhook_handlers![shadowed::options].try_into().unwrap();
    assert_eq!(handler.name(), "options");
    assert_eq!(handler.events().unwrap().collect::<Vec<_>>(), [EventKind::FileStored, EventKind::FileDeleted]);
    assert_eq!(handler.version().unwrap().as_str(), "0.7");
    assert_eq!((handler.path(), handler.secret_env()), ("/", Some("HOME")));
    assert!(webhook_handlers![].is_empty());
}

#[test]
fn a_deprecated_handler_can_be_listed_without_a_warning() {
    let names: Vec<_> = deprecated::all().iter().map(|handler| handler.name()).collect();
    assert_eq!(names, ["below", "above", "parameter"]);
}
