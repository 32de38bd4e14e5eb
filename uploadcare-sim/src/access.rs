//! Decides who may use `/_sim`, the page and the REST API, and signs browsers in.
//!
//! Without a token, the simulator listens on a loopback address only, and `origin.rs` keeps the
//! pages of other sites away. With a token, a request needs it: a program sends it as
//! `Authorization: Bearer`, and a browser has a cookie that [`sign_in`] or a link with `?token=`
//! set.
//!
//! The REST API has keys of its own. The default ones are documented, so strangers have them too:
//! `origin.rs` guards the REST API as well, unless there is a token and a secret key that strangers
//! do not know. Other machines never reach a simulator with the default secret key.

mod sign_in;

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE},
    },
    middleware::Next,
    rt::time::sleep,
    web::Data,
};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

pub(crate) use self::sign_in::{login_page, sign_in};
use self::sign_in::{path_of_this_site, redirect, wrong_token};
use crate::{answer::detail, origin::OwnAddress};

/// How long a wrong token waits for its answer.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(300);
/// The default secret key of the project, which everybody can read in the documentation.
const DOCUMENTED_SECRET_KEY: &str = "demosecretkey";
/// Where a browser signs in.
pub(crate) const LOGIN: &str = "/login";

/// Tells nothing of the project, and the login page needs it.
const STYLESHEET: &str = "/_page/workbench.css";

/// Who may use the simulator.
#[derive(Clone)]
pub(crate) struct Access {
    own: OwnAddress,
    cookie_name: String,
    token: Option<Token>,
    /// Whether the secret key of the REST API keeps strangers away.
    secret_key_is_secret: bool,
}

/// A token, kept as a code of it.
#[derive(Clone, Copy)]
struct Token([u8; 20]);

impl Token {
    /// Makes a code of a text. It is the cookie's value too, so that the cookie does not hold the
    /// token itself.
    fn of(text: &str) -> Self {
        // HMAC accepts keys of any length, so this cannot fail.
        let mac = Hmac::<Sha1>::new_from_slice(text.as_bytes());
        let mac = mac.map(|mac| mac.chain_update("the cookie of uploadcare-sim").finalize().into_bytes());
        Self(mac.map(Into::into).unwrap_or_default())
    }

    fn equals(self, other: Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    fn equals_cookie(self, value: &str) -> bool {
        hex::encode(self.0).as_bytes().ct_eq(value.as_bytes()).into()
    }
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
enum Denial {
    /// It may come from the page of another site. Holds what to do.
    Foreign(String),
    /// It has no token.
    NoToken,
    /// It has a token, and it is wrong.
    WrongToken,
}

impl Access {
    /// # Errors
    /// If other machines can reach the address and there is no token or the secret key is the
    /// documented one, or the token cannot be sent in a header.
    pub(crate) fn new(address: SocketAddr, token: Option<&str>, secret_key: &str) -> io::Result<Self> {
        let problem = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        let is_local = address.ip().to_canonical().is_loopback();
        let secret_key_is_secret = secret_key != DOCUMENTED_SECRET_KEY;
        match token {
            None if !is_local => {
                return problem(format!(
                    "other machines can reach {address}, so the simulator needs a token there: set one with \
                     `SimulatorBuilder::token` (on the command line `--token`), or listen on 127.0.0.1"
                ));
            }
            Some("") => return problem("the token is empty".to_owned()),
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return problem("the token has a character that is not visible ASCII".to_owned());
            }
            _ if !is_local && !secret_key_is_secret => {
                return problem(format!(
                    "other machines can reach {address}, and everybody knows the secret key \
                     `{DOCUMENTED_SECRET_KEY}`, with which the REST API shows signing secrets: choose another one \
                     with `Simulator::builder` (on the command line `--secret-key`), or listen on 127.0.0.1"
                ));
            }
            _ => {}
        }
        // Cookies do not know ports, so simulators on other ports have cookies of other names.
        let cookie_name = format!("uploadcare_sim_{}", address.port());
        let (own, token) = (OwnAddress::new(address), token.map(Token::of));
        Ok(Self { own, cookie_name, token, secret_key_is_secret })
    }

    /// Checks a request to the REST API, whose keys are checked later.
    fn check_rest(&self, request: &HttpRequest) -> Result<(), String> {
        if self.token.is_some() && self.secret_key_is_secret {
            // A page of another site does not know the key, so `Host` and `Origin` may be any: an
            // application in another container calls the simulator by its name there.
            return Ok(());
        }
        self.own.check(request).map_err(|refusal| {
            format!(
                "{refusal}; a simulator with a token and a secret key of its own (`--token`, `--secret-key`) takes \
                 any `Host` in REST calls"
            )
        })
    }

    pub(crate) fn wants_token(&self) -> bool {
        self.token.is_some()
    }

    fn check(&self, request: &HttpRequest) -> Result<(), Denial> {
        let Some(token) = self.token else { return self.own.check(request).map_err(Denial::Foreign) };
        if let Some(given) = request.headers().get(AUTHORIZATION) {
            let bearer = given.to_str().ok().and_then(|value| value.split_once(' '));
            return match bearer {
                Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") => {
                    // A page of another site does not know the token, so `Host` and `Origin` may be
                    // any.
                    if token.equals(Token::of(given.trim())) { Ok(()) } else { Err(Denial::WrongToken) }
                }
                _ => Err(Denial::NoToken),
            };
        }
        match self.cookie_of(request) {
            None => Err(Denial::NoToken),
            Some(cookie) if token.equals_cookie(cookie) => check_origin(request),
            Some(_) => Err(Denial::WrongToken),
        }
    }

    fn cookie_of<'a>(&self, request: &'a HttpRequest) -> Option<&'a str> {
        let headers = request.headers().get_all(COOKIE).filter_map(|header| header.to_str().ok());
        let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name).map(|(_, value)| value)
    }

    /// The cookie for a browser that has the right token.
    fn signed_in(&self, given: &str) -> Option<String> {
        let (token, name) = (self.token?, &self.cookie_name);
        let value = hex::encode(token.0);
        let cookie = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/");
        token.equals(Token::of(given)).then_some(cookie)
    }
}

/// Accepts a request with the cookie if it comes from the page of this simulator. Browsers send
/// `Origin` with each request that changes something.
fn check_origin(request: &HttpRequest) -> Result<(), Denial> {
    let foreign = |reason: String| {
        Denial::Foreign(format!(
            "this request may come from a web page of another site, since {reason}; send it from the page of the \
             simulator, or with the header `Authorization: Bearer TOKEN`"
        ))
    };
    let host = host_of(request);
    let mut origins = request.headers().get_all(ORIGIN).peekable();
    if origins.peek().is_none() && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(foreign("it has no `Origin`".to_owned()));
    }
    for origin in origins {
        let origin = origin.to_str().unwrap_or("(no text)");
        // A proxy in front of the simulator may speak HTTPS.
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if authority.is_none_or(|authority| !host.eq_ignore_ascii_case(authority)) {
            return Err(foreign(format!("its `Origin` is `{origin}` and its `Host` is `{host}`")));
        }
    }
    Ok(())
}

/// The `Host` that the client sent. Headers such as `X-Forwarded-Host` are not read.
fn host_of(request: &HttpRequest) -> &str {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default()
}

/// The middleware before `/_sim` and the page.
pub(crate) async fn guard(
    access: Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    if request.path() == STYLESHEET {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let is_page = !is_api(request.path());
    if is_page
        && request.method() == Method::GET
        && let Some((token, rest)) = take_token(request.query_string())
    {
        let without_token = url(request.path(), &rest);
        let next = path_of_this_site(&without_token);
        let answer = match access.signed_in(&token) {
            Some(cookie) => redirect(next, Some(cookie)),
            None if access.wants_token() => wrong_token(next).await,
            None => match access.check(request.request()) {
                Err(Denial::Foreign(problem)) => detail(StatusCode::FORBIDDEN, &problem),
                _ => redirect(next, None),
            },
        };
        return Ok(request.into_response(answer));
    }
    let denial = match access.check(request.request()) {
        Ok(()) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Err(denial) => denial,
    };
    if denial == Denial::WrongToken {
        sleep(WRONG_TOKEN_DELAY).await;
    }
    let answer = match denial {
        Denial::Foreign(problem) => detail(StatusCode::FORBIDDEN, &problem),
        _ if is_page && request.method() == Method::GET && takes_html(request.headers()) => {
            let next = serde_urlencoded::to_string([("next", url(request.path(), request.query_string()))]);
            redirect(&url(LOGIN, &next.unwrap_or_default()), None)
        }
        Denial::NoToken => unauthorized("this simulator wants its token"),
        Denial::WrongToken => unauthorized("the token is wrong"),
    };
    Ok(request.into_response(answer))
}

/// The middleware before the REST API.
pub(crate) async fn guard_rest(
    access: Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    match access.check_rest(request.request()) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(refusal) => Ok(request.into_response(detail(StatusCode::FORBIDDEN, &refusal))),
    }
}

fn is_api(path: &str) -> bool {
    path == "/_sim" || path.starts_with("/_sim/")
}

fn unauthorized(reason: &str) -> HttpResponse {
    let words = format!("{reason}; send it as `Authorization: Bearer TOKEN`, or sign in with a browser at {LOGIN}");
    let mut answer = detail(StatusCode::UNAUTHORIZED, &words);
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// Whether a browser asks for a page.
pub(crate) fn takes_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// The token of a query, and the query without it.
fn take_token(query: &str) -> Option<(String, String)> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let (tokens, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "token");
    let (_, token) = tokens.into_iter().next()?;
    Some((token, serde_urlencoded::to_string(rest).ok()?))
}

fn url(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_need_a_token_and_a_secret_key_that_is_not_documented() {
        for (address, token, key, fits) in [
            ("127.0.0.1:1", None, "demosecretkey", true),
            ("[::1]:1", None, "demosecretkey", true),
            ("[::ffff:127.0.0.1]:1", None, "demosecretkey", true),
            ("0.0.0.0:1", None, "own", false),
            ("[::]:1", None, "own", false),
            ("192.0.2.7:1", None, "own", false),
            ("192.0.2.7:1", Some("secret"), "own", true),
            ("192.0.2.7:1", Some("secret"), "demosecretkey", false),
            ("[::]:1", Some("secret"), "demosecretkey", false),
            ("127.0.0.1:1", Some("secret"), "demosecretkey", true),
            ("127.0.0.1:1", Some(""), "demosecretkey", false),
            ("127.0.0.1:1", Some("two words"), "demosecretkey", false),
            ("127.0.0.1:1", Some("é"), "demosecretkey", false),
        ] {
            let access = Access::new(address.parse().unwrap(), token, key);
            assert_eq!(access.is_ok(), fits, "{address} {token:?} {key}");
        }
    }

    #[test]
    fn a_token_is_taken_out_of_a_query() {
        assert_eq!(take_token("a=1&token=s%2F&b=2"), Some(("s/".to_owned(), "a=1&b=2".to_owned())));
        assert_eq!(take_token("a=1"), None);
    }
}
