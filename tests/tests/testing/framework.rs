//! Samples that go through a web framework, with the lines that the guide shows.

use uploadcare_hooks::{
    FileUploaded, WebhookRouter,
    testing::{self, Sample},
    webhook_handler, webhook_handlers,
};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: FileUploaded) {}

fn router() -> WebhookRouter {
    let builder = WebhookRouter::builder().signing_secret(testing::secret());
    builder.handlers(webhook_handlers![index_upload]).build().unwrap()
}

#[tokio::test]
async fn a_sample_goes_through_axum() -> Result<(), Box<dyn std::error::Error>> {
    let (hooks, secret) = (router(), testing::secret());
    {
        use axum::{Router, body::Body};
        use tower_service::Service;

        let mut app = Router::new().nest_service("/hooks", hooks.clone().into_service());
        let request = Sample::of("file.uploaded").at("/hooks").sign(&secret).map(Body::from);
        assert_eq!(app.call(request).await?.status(), 204);
    }
    assert_eq!(hooks.stats().acknowledged, 1);
    Ok(())
}

#[actix_web::test]
async fn a_sample_goes_through_actix_web() {
    let (hooks, secret) = (router(), testing::secret());
    {
        use actix_web::{App, test};
        use uploadcare_hooks::SIGNATURE_HEADER;

        let app = test::init_service(App::new().service(hooks.clone().mount("/hooks"))).await;
        let body = Sample::of("file.uploaded").body();
        let request = test::TestRequest::post().uri("/hooks");
        let request = request.insert_header((SIGNATURE_HEADER, secret.sign(&body))).set_payload(body);
        assert_eq!(test::call_service(&app, request.to_request()).await.status(), 204);
    }
    assert_eq!(hooks.stats().acknowledged, 1);
}

/// The lines without their indentation.
fn lines(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_guide_shows_these_lines() {
    let guide = include_str!("../../../uploadcare-hooks/docs/testing.md");
    let shown: Vec<_> = guide.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(shown.len(), 2);
    for block in shown {
        assert!(lines(include_str!("framework.rs")).contains(&lines(block)), "not in framework.rs:\n{block}");
    }
}
