//! Bodies that no server of these tests makes, given to the tower service directly.

use std::{
    cell::Cell,
    collections::VecDeque,
    convert::Infallible,
    fmt,
    marker::PhantomPinned,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use lambda_http::Service;
use tests::{
    application::{BODY_LIMIT, Seen, builder},
    deliveries::{payload, secret},
};
use uploadcare_hooks::{ResponseBody, WebhookService};

fn service() -> WebhookService {
    builder(&Seen::default()).body_timeout(Duration::from_millis(100)).build().unwrap().into_service()
}

/// The status and the body of the answer to a signed delivery with this body, in chunks.
async fn answer<B>(body: B) -> (u16, String)
where
    B: Body + Send + 'static,
    B::Error: fmt::Display,
{
    answer_announced(("Transfer-Encoding", "chunked"), body).await
}

/// The same with a body that this header announces.
async fn answer_announced<B>((name, value): (&str, &str), body: B) -> (u16, String)
where
    B: Body + Send + 'static,
    B::Error: fmt::Display,
{
    let signature = secret().sign(payload("file.uploaded").to_string().as_bytes());
    let request = Request::post("/").header("X-Uc-Signature", signature).header(name, value);
    let response = service().call(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

fn data(bytes: &[u8]) -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::data(Bytes::copy_from_slice(bytes)))
}

fn trailers() -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::trailers(HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("x"))])))
}

#[tokio::test]
async fn trailers_and_empty_frames_are_skipped() {
    let body = payload("file.uploaded").to_string();
    let (start, end) = body.as_bytes().split_at(700);
    for frames in [
        vec![data(body.as_bytes()), trailers()],
        vec![data(start), data(end), trailers()],
        vec![data(b""), data(start), data(b""), data(end), data(b"")],
        vec![trailers(), data(start), trailers(), data(end), trailers()],
    ] {
        assert_eq!(answer(StreamBody::new(stream::iter(frames))).await, (204, String::new()));
    }
}

#[tokio::test]
async fn a_chunked_body_of_trailers_alone_is_empty_and_not_consumed() {
    let (status, problem) = answer(StreamBody::new(stream::iter([trailers()]))).await;
    assert!(status == 401 && problem.contains("signature_mismatch"), "{status}: {problem}");
    let (status, problem) = answer(Empty::<Bytes>::new()).await;
    assert!(status == 500 && problem.contains("body_consumed"), "{status}: {problem}");
}

#[tokio::test]
async fn a_body_of_nothing_is_consumed_if_bytes_were_announced() {
    for (length, code) in [("0", "signature_mismatch"), ("1", "body_consumed")] {
        let nothing = StreamBody::new(stream::iter([trailers()]));
        let (_, problem) = answer_announced(("Content-Length", length), nothing).await;
        assert!(problem.contains(code), "{length}: {problem}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_answered_400() {
    let (status, problem) = answer(StreamBody::new(stream::iter([data(b"{"), Err("the connection broke")]))).await;
    assert!(status == 400 && problem.contains("body_unreadable"), "{status}: {problem}");
    assert!(!problem.contains("the connection broke"), "{problem}");
}

#[tokio::test]
async fn a_body_that_stops_is_answered_408() {
    let (status, problem) = answer(StreamBody::new(stream::iter([data(b"{")]).chain(stream::pending()))).await;
    assert!(status == 408 && problem.contains("body_too_slow"), "{status}: {problem}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_read_no_further_than_16_mebibytes() {
    let endless = stream::repeat_with(|| data(&[b' '; 1024])).enumerate();
    let endless = endless.map(|(number, frame)| {
        assert!(number < (BODY_LIMIT + (16 << 20)) / 1024 + 2, "{number} KiB were read");
        frame
    });
    let (status, problem) = answer(StreamBody::new(endless)).await;
    assert!(status == 413 && problem.contains("body_too_large"), "{status}: {problem}");
}

/// A body that cannot be shared or moved, in pieces of an odd kind, with errors that cannot be
/// sent.
struct OddBody(Cell<Option<VecDeque<u8>>>, PhantomPinned);

#[derive(Debug)]
struct OddError(Rc<str>);

impl fmt::Display for OddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Body for OddBody {
    type Data = VecDeque<u8>;
    type Error = OddError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<VecDeque<u8>>, OddError>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test]
async fn a_body_of_an_odd_type_is_read() {
    let payload = payload("file.uploaded").to_string().into_bytes();
    let (start, end) = payload.split_at(700);
    // The bytes lie in two parts of memory.
    let mut data = VecDeque::from(end.to_vec());
    for byte in start.iter().rev() {
        data.push_front(*byte);
    }
    assert_eq!(answer(OddBody(Cell::new(Some(data)), PhantomPinned)).await.0, 204);
}

#[test]
fn the_service_takes_every_body_and_can_be_shared() {
    fn check<B, S>(_: &S)
    where
        S: Service<Request<B>, Response = Response<ResponseBody>, Error = Infallible, Future: Send + 'static>,
        S: Clone + fmt::Debug + Send + Sync + 'static,
    {
    }
    let service = service();
    check::<Incoming, _>(&service);
    check::<axum::body::Body, _>(&service);
    check::<lambda_http::Body, _>(&service);
    check::<Full<Bytes>, _>(&service);
    check::<String, _>(&service);
    check::<OddBody, _>(&service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_waits_and_never_ends_is_ended_by_its_time_limit() {
    for frame in [|| data(b""), trailers] {
        let body = || StreamBody::new(stream::repeat_with(frame));
        let (status, text) = answer(body()).await;
        assert_eq!((status, text.contains("body_too_slow")), (408, true), "{text}");
        let refused = Request::post("/unknown").body(body()).unwrap();
        assert_eq!(service().call(refused).await.unwrap().status(), 404);
    }
}
