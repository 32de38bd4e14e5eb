//! Parameters that are neither a payload nor a type that every handler may take.
#![allow(unused)]

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use axum::http::HeaderMap;
use uploadcare_hooks::{
    FileUploaded, FromDelivery, HandlerContext, HandlerError, event, webhook_handler, webhook_handlers,
};

#[derive(Clone)]
struct Db;

#[webhook_handler(event = "file.uploaded")]
async fn bare(event: FileUploaded, db: Db) {}

#[webhook_handler(event = "file.uploaded")]
async fn shared(event: FileUploaded, db: Arc<Db>, more: Option<Db>) {}

#[webhook_handler(event = "file.uploaded")]
async fn json(event: Json<FileUploaded>, headers: HeaderMap, body: String) {}

#[webhook_handler(event = "file.uploaded")]
async fn actix(event: FileUploaded, db: web::Data<Db>) {}

// It is not `Send` either, which is not the mistake.
#[webhook_handler(event = "file.uploaded")]
async fn request(event: FileUploaded, request: HttpRequest) -> bool {
    true
}

struct Json<T>(T);

struct Tenant;

impl FromDelivery<event::Stored> for Tenant {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(Self)
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn tenant(event: FileUploaded, tenant: Tenant) {}

struct Moderation;

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(event: Moderation, db: Db) {}

fn main() {
    let _ = webhook_handlers![bare, shared, json, actix, request, tenant, moderated];
}
