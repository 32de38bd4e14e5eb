//! The signals that end a simulator in order: Ctrl-C, and SIGTERM, which `kill`, containers and
//! supervisors send.

use std::io;

/// Watches for the signals from now on. The future is done at the first one. Needs a runtime.
#[cfg(unix)]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    use std::pin::pin;

    use actix_web::rt::signal::unix::{SignalKind, signal};
    use futures_util::future::select;

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
    })
}

/// Watches for Ctrl-C. The future is done at the first one. Needs a runtime.
#[cfg(not(unix))]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler, Ctrl-C ends the process at once.
        if actix_web::rt::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
