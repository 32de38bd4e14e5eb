//! Bodies over the limit: the client reads the answer, even if it is still sending.

use std::time::{Duration, Instant};

use tests::{
    application::{Application, BODY_LIMIT, BODY_TIMEOUT, Seen, builder},
    servers::Adapter,
};

use crate::{
    Target,
    raw::{Raw, head},
};

const TEN_MIB: usize = 10 << 20;

/// A chunked body of this many bytes.
fn chunked(bytes: usize) -> Vec<u8> {
    const CHUNK: usize = 16 * 1024;
    let whole = [format!("{CHUNK:x}\r\n").into_bytes(), vec![b' '; CHUNK], b"\r\n".to_vec()].concat();
    [whole.repeat(bytes / CHUNK), b"0\r\n\r\n".to_vec()].concat()
}

/// A whole request with a body of this many bytes, to a path.
fn request(path: &str, bytes: usize, is_chunked: bool) -> Vec<u8> {
    let line = if is_chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {bytes}") };
    let head = head(&[line]).replacen("/hooks", path, 1);
    [head.into_bytes(), if is_chunked { chunked(bytes) } else { vec![b' '; bytes] }].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_a_refused_body_whole_before_it_reads_gets_the_answer() {
    for adapter in Adapter::READING {
        let target = Target::start(adapter, Application::Inline).await;
        for bytes in [BODY_LIMIT * 2, TEN_MIB] {
            for is_chunked in [false, true] {
                for (path, status, code) in [("/hooks", 413, "body_too_large"), ("/hooks/unknown", 404, "unknown_path")]
                {
                    let name = format!("{adapter:?}, {bytes} bytes, chunked: {is_chunked}, {path}");
                    let mut connection = Raw::connect(target.address).await;
                    connection.write(request(path, bytes, is_chunked)).await.unwrap_or_else(|e| panic!("{name}: {e}"));
                    let answer = connection.read().await.unwrap_or_else(|| panic!("{name}: no answer"));
                    assert_eq!(answer.status, status, "{name}");
                    assert!(answer.body.contains(code), "{name}: {}", answer.body);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_refused_body_was_read_to_its_end_serves_the_next_request() {
    for adapter in Adapter::READING {
        let target = Target::start(adapter, Application::Inline).await;
        let mut connection = Raw::connect(target.address).await;
        for is_chunked in [true, false, true] {
            connection.write(request("/hooks", BODY_LIMIT * 2, is_chunked)).await.unwrap();
            assert_eq!(connection.read().await.unwrap().status, 413, "{adapter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_for_the_answer_before_it_sends_the_body_gets_it_soon() {
    for adapter in Adapter::READING {
        let seen = Seen::default();
        let router = builder(&seen).body_timeout(Duration::from_secs(15)).build().unwrap();
        let target = Target::of(adapter, router, seen, None).await;
        let mut connection = Raw::connect(target.address).await;
        let start = Instant::now();
        connection.write(head(&[format!("Content-Length: {TEN_MIB}")])).await.unwrap();
        assert_eq!(connection.read().await.unwrap().status, 413, "{adapter:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{adapter:?}: {:?}", start.elapsed());
    }
}

/// A request with this path that sends its body of 10 MiB after `100 Continue`. Returns the first
/// answer.
async fn expect_continue(target: &Target, path: &str) -> (Raw, u16) {
    let mut connection = Raw::connect(target.address).await;
    let lines = [format!("Content-Length: {TEN_MIB}"), "Expect: 100-continue".to_owned()];
    connection.write(head(&lines).replacen("/hooks", path, 1)).await.unwrap();
    let status = connection.read().await.unwrap().status;
    (connection, status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_expects_100_continue_is_refused_before_it_sends_the_body() {
    for adapter in [Adapter::Axum, Adapter::Hyper] {
        let target = Target::start(adapter, Application::Inline).await;
        for (path, status) in [("/hooks", 413), ("/hooks/unknown", 404)] {
            assert_eq!(expect_continue(&target, path).await.1, status, "{adapter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_asks_for_every_body_and_the_client_that_sends_it_gets_the_answer() {
    let target = Target::start(Adapter::Actix, Application::Inline).await;
    for (path, status) in [("/hooks", 413), ("/hooks/unknown", 404)] {
        let (mut connection, first) = expect_continue(&target, path).await;
        assert_eq!(first, 100);
        connection.write(vec![b' '; TEN_MIB]).await.unwrap();
        assert_eq!(connection.read().await.unwrap().status, status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_body_is_read_for_no_longer_than_a_body_may_take() {
    for adapter in Adapter::READING {
        let target = Target::start(adapter, Application::Inline).await;
        let mut connection = Raw::connect(target.address).await;
        let start = Instant::now();
        connection.write(head(&["Transfer-Encoding: chunked".to_owned()])).await.unwrap();
        connection.write(&chunked(BODY_LIMIT * 2).strip_suffix(b"0\r\n\r\n").unwrap()).await.unwrap();
        let (mut reader, mut writer) = connection.0.into_split();
        let writing = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            while writer.write_all(b"1\r\n \r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let mut status = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut reader, &mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 413", "{adapter:?}");
        assert!(start.elapsed() < BODY_TIMEOUT + Duration::from_secs(5), "{adapter:?}: {:?}", start.elapsed());
        writing.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_without_end_is_refused_and_its_connection_closed() {
    // actix-web reads an endless chunked body and throws it away, whatever the application does.
    for adapter in [Adapter::Axum, Adapter::Hyper] {
        let target = Target::start(adapter, Application::Inline).await;
        let mut connection = Raw::connect(target.address).await;
        connection.write(head(&["Transfer-Encoding: chunked".to_owned()])).await.unwrap();
        let chunks = chunked(1 << 20);
        let chunks = chunks.strip_suffix(b"0\r\n\r\n").unwrap();
        let mut mebibytes = 0;
        while connection.write(chunks).await.is_ok() {
            mebibytes += 1;
            assert!(mebibytes < 200, "{adapter:?}");
        }
        assert!(mebibytes >= 16, "{adapter:?}: {mebibytes} MiB");
    }
}
