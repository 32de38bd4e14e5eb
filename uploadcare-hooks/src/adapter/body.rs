//! Answers a request whose body comes in pieces, for every adapter that gets it so. Knows no
//! framework.

use std::{
    fmt::Display,
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use tracing::Instrument;

use crate::router::{
    Admitted, Answer, Rejection, RejectionReason, TimeLimit, Unverified, WebhookRouter, announced_length,
};

/// How much of a refused body is read and thrown away before the answer.
const MOST_DISCARDED: u64 = 16 << 20;
/// How long a client that sends a refused body may pause. A client that waits for the answer before
/// it sends the body waits this long.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A request whose body was not read yet.
pub(super) struct Unread<'a, S> {
    pub(super) method: &'a str,
    /// The path below the mount, decoded.
    pub(super) path: Result<&'a str, Outside<'a>>,
    pub(super) headers: HeaderMap,
    /// Whether the client sends the body only when the server begins to read it, after `Expect:
    /// 100-continue`.
    pub(super) is_body_held_back: bool,
    /// `None` if there is no body, because the client sent none or something before the router
    /// consumed it.
    pub(super) body: Option<S>,
}

/// The whole path of a request that is not below its service's mount.
pub(super) struct Outside<'a> {
    pub(super) path: &'a str,
    pub(super) mount: &'a str,
}

/// Answers a request. Reads its body, within the router's limits of bytes and time.
///
/// Many clients send the whole body before they read the answer. If the server closed the
/// connection while such a client is still sending, the client would see a broken connection and no
/// answer. So the rest of a body that the router refused is read and thrown away before the answer,
/// up to a limit.
// Not an `async fn`, here and below: that would hold each argument twice.
pub(super) fn answer<'a, E: Display, S: Stream<Item = Result<Bytes, E>>>(
    router: &'a WebhookRouter,
    request: Unread<'_, S>,
) -> impl Future<Output = Answer> + use<'a, E, S> {
    let Unread { method, path, headers, is_body_held_back, body } = request;
    let start = Instant::now();
    let admitted = match path {
        Ok(path) => router.admit(method, path, &headers),
        Err(Outside { path, mount }) => Err(router.refuse_path(path, mount, &headers)),
    };
    async move {
        let mut body = pin!(body);
        let (answer, discards_rest) = match admitted {
            Ok(admitted) => {
                let observed = router.observe(admitted);
                let read = read(router, body.as_mut().as_pin_mut()).instrument(observed.span.clone()).await;
                let too_large = matches!(&read, Err(RejectionReason::BodyTooLarge { .. }));
                let ended = router.process(unverified(admitted, headers, read), &observed).await;
                (router.core.observer.ended(&ended, &observed), too_large)
            }
            Err(answer) => (answer, !is_body_held_back && is_discardable(&headers)),
        };
        if discards_rest && let Some(body) = body.as_pin_mut() {
            let left = router.body_timeout().saturating_sub(start.elapsed());
            // The answer is the same if the time is over.
            let _ = TimeLimit(Some(left)).apply(&mut pin!(discard(left, body))).await;
        }
        answer
    }
}

/// Whether it can help the client to read the body to its end. A part of it does not help.
fn is_discardable(headers: &HeaderMap) -> bool {
    announced_length(headers).is_none_or(|announced| announced <= MOST_DISCARDED)
}

/// Adds the body that was read to what is known of a request.
fn unverified(
    admitted: Admitted<'_>,
    headers: HeaderMap,
    read: Result<Option<Bytes>, RejectionReason>,
) -> Result<Unverified<'_>, Box<Rejection>> {
    match read {
        Ok(body) => admitted.with_body(headers, body),
        Err(reason) => Err(admitted.reject(reason)),
    }
}

/// Reads a body to its end, if there is one.
fn read<E: Display, S: Stream<Item = Result<Bytes, E>>>(
    router: &WebhookRouter,
    body: Option<Pin<&mut S>>,
) -> impl Future<Output = Result<Option<Bytes>, RejectionReason>> {
    let (limit, time_limit) = (router.body_limit(), router.body_timeout());
    async move {
        let Some(body) = body else { return Ok(None) };
        match TimeLimit(Some(time_limit)).apply(&mut pin!(collect(limit, time_limit, body))).await {
            Ok(read) => read.map(Some),
            Err(_) => Err(RejectionReason::BodyTooSlow { limit: time_limit }),
        }
    }
}

/// Holds at most `limit` bytes. A body that comes in one piece is not copied.
async fn collect<E: Display>(
    limit: usize,
    time_limit: Duration,
    mut body: Pin<&mut impl Stream<Item = Result<Bytes, E>>>,
) -> Result<Bytes, RejectionReason> {
    let start = Instant::now();
    let mut left = limit;
    let mut checked = |chunk: Result<Bytes, E>| -> Result<Bytes, RejectionReason> {
        let chunk = chunk.map_err(|error| RejectionReason::BodyUnreadable(error.to_string()))?;
        left = left.checked_sub(chunk.len()).ok_or(RejectionReason::BodyTooLarge { limit })?;
        // A timer ends a body that waits. One that never waits and never ends must be ended here.
        if chunk.is_empty() && start.elapsed() > time_limit {
            return Err(RejectionReason::BodyTooSlow { limit: time_limit });
        }
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

/// Reads the rest of a body and throws it away, until its end, an error, a pause or a limit.
async fn discard<E>(time_limit: Duration, mut body: Pin<&mut impl Stream<Item = Result<Bytes, E>>>) {
    let start = Instant::now();
    let mut left = MOST_DISCARDED;
    while let Ok(Some(Ok(chunk))) = TimeLimit(Some(LONGEST_PAUSE)).apply(&mut body.next()).await {
        match left.checked_sub(chunk.len() as u64) {
            // As in `collect`, a body that never waits must be ended here.
            Some(rest) if start.elapsed() <= time_limit => left = rest,
            _ => break,
        }
    }
}
