//! Reads the body of an admitted request, for every adapter that gets it in pieces. Knows no
//! framework.

use std::{fmt::Display, pin::pin};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;

use crate::router::{Admitted, Rejection, RejectionReason, TimeLimit, Unverified, WebhookRouter};

/// Reads a body to its end, within the router's limits of bytes and time.
///
/// # Errors
/// A rejection if the body is too large, too slow or unreadable, or if it was announced and
/// something before the router consumed it.
pub(super) async fn read<'r, E: Display>(
    router: &WebhookRouter,
    admitted: Admitted<'r>,
    headers: HeaderMap,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Unverified<'r>, Box<Rejection>> {
    let limit = router.body_timeout();
    let read = match TimeLimit(Some(limit)).apply(&mut pin!(collect(router.body_limit(), body))).await {
        Ok(read) => read,
        Err(_) => Err(RejectionReason::BodyTooSlow { limit }),
    };
    match read {
        Ok(body) => admitted.with_body(headers, body),
        Err(reason) => Err(admitted.reject(reason)),
    }
}

/// Holds at most `limit` bytes. A body that comes in one piece is not copied.
async fn collect<E: Display>(
    limit: usize,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Bytes, RejectionReason> {
    let mut body = pin!(body);
    let mut left = limit;
    let mut checked = |chunk: Result<Bytes, E>| -> Result<Bytes, RejectionReason> {
        let chunk = chunk.map_err(|error| RejectionReason::BodyUnreadable(error.to_string()))?;
        left = left.checked_sub(chunk.len()).ok_or(RejectionReason::BodyTooLarge { limit })?;
        Ok(chunk)
    };
    let Some(first) = body.next().await else { return Ok(Bytes::new()) };
    let first = checked(first)?;
    // Read to the end even if the announced length is reached: servers reuse only connections whose
    // body was read to its end.
    let Some(second) = body.next().await else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&checked(second)?);
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&checked(chunk)?);
    }
    Ok(whole.freeze())
}
