//! Subscriptions, with the rules of the REST API, but for events of any name.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{bad, once_kept, read};
use crate::{
    answer::detail,
    project::{Fields, Project, Refusal, Subscription},
};

/// A subscription, with its secret only if the request asks for it.
#[derive(Serialize)]
struct Shown {
    id: u64,
    project: u64,
    created: Timestamp,
    updated: Timestamp,
    event: String,
    target_url: String,
    is_active: bool,
    version: Option<String>,
    /// Whether there is a secret, so that deliveries are signed.
    signed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<Option<String>>,
}

impl Shown {
    fn new(subscription: Subscription, secrets: bool) -> Self {
        let Subscription { id, project, created, updated, event, target_url, is_active, version, signing_secret } =
            subscription;
        let signed = signing_secret.is_some();
        let signing_secret = secrets.then_some(signing_secret);
        Self { id, project, created, updated, event, target_url, is_active, version, signed, signing_secret }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    target_url: Option<String>,
    event: Option<String>,
    is_active: Option<bool>,
    /// `null` and `""` delete the secret.
    #[serde(default, deserialize_with = "given")]
    signing_secret: Option<Option<String>>,
    version: Option<String>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl From<Given> for Fields {
    fn from(given: Given) -> Self {
        let Given { target_url, event, is_active, signing_secret, version } = given;
        let signing_secret = signing_secret.map(Option::unwrap_or_default);
        Self { target_url, event, is_active, signing_secret, version, any_event: true }
    }
}

/// Whether the query asks for secrets.
fn secrets(request: &HttpRequest) -> Result<bool, String> {
    match request.query_string() {
        "" | "secrets=false" => Ok(false),
        "secrets=true" => Ok(true),
        query => Err(format!(
            "the query is \"{}\"; the only parameter is `secrets`, which takes true or false",
            query.escape_debug()
        )),
    }
}

pub(super) async fn list(project: Data<Project>, request: HttpRequest) -> HttpResponse {
    match secrets(&request) {
        Ok(secrets) => {
            let shown = project.subscriptions().into_iter().map(|known| Shown::new(known, secrets));
            HttpResponse::Ok().json(shown.collect::<Vec<_>>())
        }
        Err(problem) => bad(&problem),
    }
}

pub(super) async fn one(project: Data<Project>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let secrets = match secrets(&request) {
        Ok(secrets) => secrets,
        Err(problem) => return bad(&problem),
    };
    match number(&id).and_then(|id| project.subscription(id)) {
        Ok(known) => HttpResponse::Ok().json(Shown::new(known, secrets)),
        Err(refusal) => refused(&refusal, &id),
    }
}

pub(super) async fn create(project: Data<Project>, body: Bytes) -> HttpResponse {
    let fields = match read::<Given>(&body) {
        Ok(given) => given.into(),
        Err(problem) => return bad(&problem),
    };
    match project.change_subscriptions(|all| all.create(fields)) {
        Ok(created) => once_kept(&project, HttpResponse::Created().json(Shown::new(created, false))).await,
        Err(refusal) => refused(&refusal, ""),
    }
}

pub(super) async fn change(project: Data<Project>, id: Path<String>, body: Bytes) -> HttpResponse {
    let fields: Fields = match read::<Given>(&body) {
        Ok(Given { version: Some(_), .. }) => {
            return bad("`version`: the version of a subscription cannot be changed; create another one");
        }
        Ok(given) => given.into(),
        Err(problem) => return bad(&problem),
    };
    match number(&id).and_then(|id| project.change_subscriptions(|all| all.update(id, fields))) {
        Ok(changed) => once_kept(&project, HttpResponse::Ok().json(Shown::new(changed, false))).await,
        Err(refusal) => refused(&refusal, &id),
    }
}

pub(super) async fn delete(project: Data<Project>, id: Path<String>) -> HttpResponse {
    match number(&id).and_then(|id| project.change_subscriptions(|all| all.delete(id))) {
        Ok(()) => once_kept(&project, HttpResponse::NoContent().finish()).await,
        Err(refusal) => refused(&refusal, &id),
    }
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

fn refused(refusal: &Refusal, id: &str) -> HttpResponse {
    match refusal {
        Refusal::NotFound => {
            let id = id.escape_debug();
            let words = format!("there is no subscription \"{id}\"; GET /_sim/subscriptions lists them");
            detail(StatusCode::NOT_FOUND, &words)
        }
        Refusal::Invalid(_) => bad(&refusal.text()),
    }
}
