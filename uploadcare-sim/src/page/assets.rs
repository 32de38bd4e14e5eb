//! The stylesheet and the script. They are part of the binary, so the page needs no other files and
//! no internet.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
};

struct Asset {
    text: &'static str,
    content_type: &'static str,
    etag: String,
}

impl Asset {
    fn new(text: &'static str, content_type: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { text, content_type, etag: format!("\"{:016x}\"", hasher.finish()) }
    }

    /// Answers 304 to a browser that has this version. Browsers ask each time, so a new version of
    /// the simulator never shows its pages with an old stylesheet.
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = request.headers().get(IF_NONE_MATCH).is_some_and(|etag| etag.as_bytes() == self.etag.as_bytes());
        let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, self.etag.as_str()));
        if known { answer.finish() } else { answer.content_type(self.content_type).body(self.text) }
    }
}

static STYLESHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(include_str!("workbench.css"), "text/css; charset=utf-8"));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(include_str!("workbench.js"), "text/javascript; charset=utf-8"));

pub(super) async fn stylesheet(request: HttpRequest) -> HttpResponse {
    STYLESHEET.answer(&request)
}

pub(super) async fn script(request: HttpRequest) -> HttpResponse {
    SCRIPT.answer(&request)
}
