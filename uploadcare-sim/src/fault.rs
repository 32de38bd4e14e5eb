//! How a REST call fails on demand.

use std::{io, time::Duration};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    rt::time::sleep,
    web::Bytes,
};
use serde_json::json;

use crate::{
    answer::{not_found, start},
    project::{Fault, FaultKind},
};

const SLOW: Duration = Duration::from_secs(10);

/// Answers a call that runs into this fault. `carry_out` makes the call take effect, and returns
/// the right answer.
pub(crate) async fn fail(fault: Fault, carry_out: impl FnOnce() -> HttpResponse) -> HttpResponse {
    let right = (fault.carried_out || fault.kind == FaultKind::Slow).then(carry_out);
    match fault.kind {
        FaultKind::Throttle => start(StatusCode::TOO_MANY_REQUESTS)
            .insert_header((header::RETRY_AFTER, "1"))
            .json(json!({"detail": "Request was throttled. Expected available in 1 seconds."})),
        FaultKind::Error => HttpResponse::BadGateway().content_type("text/html").body("<html>502 Bad Gateway</html>"),
        FaultKind::Slow => {
            sleep(SLOW).await;
            right.unwrap_or_else(not_found)
        }
        FaultKind::Cut => {
            let cut = futures_util::stream::once(async { Err::<Bytes, _>(io::Error::other("the connection is cut")) });
            HttpResponse::Ok().no_chunking(1000).streaming(cut)
        }
    }
}
