//! The form in which a browser sends the token, and where it goes then.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    rt::time::sleep,
    web::{Bytes, Data, Query},
};
use serde::Deserialize;

use super::{Access, WRONG_TOKEN_DELAY};

const LOGIN_PAGE: &str = include_str!("login.html");

/// Where a browser goes after it signed in: a path of this simulator, and never another site.
#[derive(Debug, Deserialize)]
pub(crate) struct Destination {
    #[serde(default)]
    next: String,
}

impl Destination {
    fn path(&self) -> &str {
        path_of_this_site(&self.next)
    }
}

pub(super) fn path_of_this_site(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

/// Shows the form that asks for the token.
pub(crate) async fn login_page(access: Data<Access>, next: Query<Destination>) -> HttpResponse {
    if access.token.is_none() { redirect(next.path(), None) } else { form(StatusCode::OK, "", next.path()) }
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// Takes the form with the token.
pub(crate) async fn sign_in(access: Data<Access>, body: Bytes) -> HttpResponse {
    let Ok(Login { token, next }) = serde_urlencoded::from_bytes(&body) else {
        return form(StatusCode::BAD_REQUEST, "The form cannot be read.", "/");
    };
    let next = path_of_this_site(&next);
    match access.signed_in(token.trim()) {
        Some(cookie) => redirect(next, Some(cookie)),
        None if access.token.is_none() => redirect(next, None),
        None => wrong_token(next).await,
    }
}

pub(super) async fn wrong_token(next: &str) -> HttpResponse {
    sleep(WRONG_TOKEN_DELAY).await;
    form(StatusCode::UNAUTHORIZED, "This token is wrong.", next)
}

pub(super) fn redirect(url: &str, cookie: Option<String>) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, url)).insert_header(("Referrer-Policy", "same-origin"));
    if let Some(cookie) = cookie {
        answer.insert_header((SET_COOKIE, cookie));
    }
    answer.finish()
}

fn form(status: StatusCode, problem: &str, next: &str) -> HttpResponse {
    let escaped = next.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let (alert, described) = match problem {
        "" => (String::new(), ""),
        _ => (
            format!("<div class=\"problem\" id=\"problem\" role=\"alert\"><p>{problem}</p></div>"),
            " aria-invalid=\"true\" aria-describedby=\"problem\"",
        ),
    };
    let page = LOGIN_PAGE.replace("{problem}", &alert).replace("{described}", described).replace("{next}", &escaped);
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header((
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors \
             'none'",
        ))
        .insert_header(("Referrer-Policy", "same-origin"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_paths_of_this_site_only() {
        for (next, path) in [
            ("/deliveries?status=5xx", "/deliveries?status=5xx"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\r\nset-cookie: a=b", "/"),
        ] {
            assert_eq!(path_of_this_site(next), path, "{next:?}");
        }
    }
}
