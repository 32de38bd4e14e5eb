//! Where a router can be mounted, and which paths answer then.

use std::net::SocketAddr;

use reqwest::Client;
use tests::{
    application::{Seen, builder},
    deliveries::{payload, secret},
    log::Log,
};
use tokio::net::TcpListener;
use uploadcare_hooks::WebhookRouter;

fn router() -> WebhookRouter {
    builder(&Seen::default()).build().unwrap()
}

#[test]
fn actix_mounts_the_router_at_the_root_with_a_trailing_slash_and_inside_a_scope() {
    use actix_web::{App, rt, test, web};

    for (scope, mount, path, status) in [
        ("/api", "/hooks", "/api/hooks", 204),
        ("/api", "/hooks/", "/api/hooks/", 204),
        ("/api", "hooks", "/api/hooks", 204),
        ("/api", "/hooks", "/hooks", 404),
        ("/api", "/hooks", "/api/hookshot", 404),
        ("", "/", "/", 204),
        ("", "", "/", 204),
        ("", "/", "/audit", 204),
        ("/{tenant}", "/hooks", "/acme/hooks/audit", 204),
    ] {
        let body = payload("file.uploaded").to_string();
        let signature = secret().sign(body.as_bytes());
        let answered_status = rt::System::new().block_on(async {
            let service = web::scope(scope).service(router().mount(mount));
            let app = test::init_service(App::new().service(service)).await;
            let request = test::TestRequest::post().uri(path).insert_header(("X-Uc-Signature", signature));
            test::call_service(&app, request.set_payload(body).to_request()).await.status().as_u16()
        });
        assert_eq!(answered_status, status, "scope {scope:?}, mount {mount:?}, path {path}");
    }
}

async fn serve(app: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The status of a delivery to each path of an axum application.
async fn check(app: axum::Router, cases: &[(&str, u16)]) {
    let address = serve(app).await;
    let body = payload("file.uploaded").to_string();
    for (path, status) in cases {
        let request = Client::new().post(format!("http://{address}{path}"));
        let request = request.header("X-Uc-Signature", secret().sign(body.as_bytes())).body(body.clone());
        assert_eq!(request.send().await.unwrap().status().as_u16(), *status, "{path}");
    }
}

#[tokio::test]
async fn axum_mounts_the_service_with_nest_service() {
    let app = || axum::Router::new().nest_service("/hooks", router().into_service());
    let cases = [("/hooks", 204), ("/hooks/", 204), ("/hooks/audit", 204), ("/hooks/unknown", 404), ("/", 404)];
    check(app(), &cases).await;
    check(axum::Router::new().nest("/api", app()), &[("/api/hooks", 204), ("/api/hooks/audit", 204)]).await;
    let tenants = axum::Router::new().nest_service("/{tenant}/hooks", router().into_service());
    check(tenants, &[("/acme/hooks", 204), ("/acme/hooks/audit", 204)]).await;
    let slash = axum::Router::new().nest_service("/hooks/", router().into_service());
    check(slash, &[("/hooks/", 204), ("/hooks/audit", 204), ("/hooks", 404)]).await;
}

#[tokio::test]
async fn axum_mounts_the_service_with_route_service_if_it_knows_its_mount() {
    let service = || router().into_service().at("/hooks");
    let app = axum::Router::new().route_service("/hooks", service());
    check(app, &[("/hooks", 204), ("/hooks/", 404)]).await;
    let app = axum::Router::new().route_service("/hooks", service()).route_service("/hooks/{*rest}", service());
    check(app, &[("/hooks", 204), ("/hooks/audit", 204), ("/hooks/unknown", 404)]).await;
}

#[tokio::test]
async fn axum_mounts_the_service_as_its_fallback() {
    let app = axum::Router::new().fallback_service(router().into_service().at("/hooks"));
    check(app, &[("/hooks", 204), ("/hooks/", 204), ("/hooks/audit", 204), ("/audit", 404), ("/", 404)]).await;
    let app = axum::Router::new().fallback_service(router().into_service());
    check(app, &[("/", 204), ("/audit", 204), ("/hooks", 404)]).await;
}

#[tokio::test]
async fn a_mount_may_be_written_in_every_usual_form() {
    for mount in ["/hooks", "hooks", "/hooks/", "hooks/", "/h%6foks"] {
        let app = axum::Router::new().fallback_service(router().into_service().at(mount));
        check(app, &[("/hooks", 204), ("/hooks/audit", 204), ("/hookshot", 404)]).await;
    }
    for mount in ["/", ""] {
        let app = axum::Router::new().fallback_service(router().into_service().at("/hooks").at(mount));
        check(app, &[("/", 204), ("/audit", 204), ("/hooks", 404)]).await;
    }
    let app = axum::Router::new().fallback_service(router().into_service().at("/api/v1/hooks"));
    check(app, &[("/api/v1/hooks", 204), ("/api/v1/hooks/audit", 204), ("/api/v1", 404)]).await;
}

#[tokio::test]
async fn a_delivery_that_finds_no_handler_is_logged_once_with_the_way_out() {
    let log = Log::default();
    let _guard = log.capture();
    let app = axum::Router::new().route_service("/hooks", router().into_service());
    check(app, &[("/hooks", 404), ("/hooks", 404)]).await;
    let text = log.text();
    let warning = "a request with a signature came to path \"/hooks\"";
    let lines: Vec<_> = text.lines().filter(|line| line.contains(warning)).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].contains("WARN") && lines[0].contains(".at(mount)") && lines[0].contains("\"/audit\""), "{text}");
}

#[tokio::test]
async fn a_service_that_knows_its_mount_where_the_server_removes_it_says_so() {
    let log = Log::default();
    let _guard = log.capture();
    let app = axum::Router::new().nest_service("/hooks", router().into_service().at("/hooks"));
    check(app, &[("/hooks", 404)]).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("came to path \"/\", which is outside of \"/hooks\""));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("WARN") && line.contains("leave `.at(..)` out"), "{text}");
}

#[test]
fn a_mount_that_is_known_is_logged() {
    let log = Log::default();
    let _guard = log.capture();
    let service = router().into_service().at("/hooks");
    drop(service.clone());
    assert!(log.text().contains(r#"webhook router mounted at "/hooks""#), "{}", log.text());
    assert!(log.text().contains(r#""/hooks/audit""#), "{}", log.text());
}

#[tokio::test]
async fn axums_default_limit_of_bodies_does_not_apply_to_the_service() {
    let app = axum::Router::new().nest_service("/hooks", router().into_service());
    check(app.layer(axum::extract::DefaultBodyLimit::max(10)), &[("/hooks", 204)]).await;
}
