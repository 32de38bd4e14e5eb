//! Other sites cannot read the page or send its forms.

use super::{Workbench, receiver, send};

#[tokio::test]
async fn no_form_and_no_page_answers_another_site() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    workbench.subscribe("file.uploaded", &url, "secret").await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let delivery = workbench.finished(1).await[0].id;
    let before = workbench.simulator.subscriptions();
    let replay = format!("/deliveries/{delivery}/replay");
    for path in [
        "/trigger",
        replay.as_str(),
        "/subscriptions",
        "/subscriptions/1",
        "/subscriptions/1/pause",
        "/subscriptions/1/resume",
        "/subscriptions/1/delete",
        "/subscriptions/1/reveal",
        "/faults/off",
        "/faults/rest",
        "/faults/rest/clear",
        "/faults/delivery/wrong_secret",
    ] {
        let fields = [("event", "file.uploaded"), ("target_url", "http://evil.example"), ("fault", "error")];
        for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
            let page = send(workbench.form(path, &fields).header("Origin", origin)).await;
            assert_eq!(page.status, 403, "{path} {origin}");
            page.has_not("secret").has("its `Origin` is");
        }
        let page = send(workbench.form(path, &fields).header("Host", "evil.example")).await;
        assert_eq!(page.status, 403, "{path}");
    }
    for path in ["/", "/subscriptions", "/_page/live", "/_page/workbench.js", "/trigger", "/faults", "/compare"] {
        let page = send(workbench.http.get(workbench.url(path)).header("Host", "evil.example")).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    }
    assert_eq!(workbench.simulator.subscriptions(), before);
    assert_eq!(workbench.simulator.deliveries().len(), 1);
    workbench.get("/faults").await.has_not("Faults are on");
}
