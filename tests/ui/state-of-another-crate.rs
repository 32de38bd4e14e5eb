#![allow(unused)]

use actix_web::web::Payload;
use axum::extract::State;
use uploadcare_hooks::{FileUploaded, FromDelivery, HandlerContext, HandlerError, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn imported(event: FileUploaded, State(count): State<u32>) {}

#[webhook_handler(event = "file.uploaded")]
async fn path(event: FileUploaded, count: axum::extract::State<u32>, optional: Option<State<u32>>) {}

#[webhook_handler(event = "file.uploaded")]
async fn payload(event: FileUploaded, body: Payload) {}

mod own {
    use super::*;

    /// A type of the application may have the name.
    struct State;

    impl<E> FromDelivery<E> for State {
        fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
            Ok(Self)
        }
    }

    #[webhook_handler(event = "file.uploaded")]
    pub async fn right(event: FileUploaded, state: State) {}
}

fn main() {
    let _ = webhook_handlers![imported, path, payload, own::right];
}
