//! The body of an answer: nothing, or one small piece of JSON.

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The body of an answer of [`WebhookService`](crate::WebhookService): empty, or an
/// `application/problem+json` object. Its length is known, and it comes in one piece.
#[derive(Debug, Clone, Default)]
pub struct ResponseBody(Bytes);

impl ResponseBody {
    pub(super) fn new(body: Bytes) -> Self {
        Self(body)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = mem::take(&mut self.0);
        Poll::Ready((!body.is_empty()).then(|| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
