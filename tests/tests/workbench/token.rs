//! The page of a simulator that wants a token.

use reqwest::{Client, redirect::Policy};
use uploadcare_sim::Simulator;

use super::{Workbench, pages::check, receiver, send};

#[tokio::test]
async fn a_browser_signs_in_once_and_then_sees_and_sends_everything() {
    let builder = Simulator::builder("demopublickey", "demosecretkey").token("the-long-token-of-the-test");
    let simulator = builder.start("127.0.0.1:0".parse().unwrap()).unwrap();
    let workbench = Workbench { simulator, http: Client::builder().redirect(Policy::none()).build().unwrap() };
    for path in ["/", "/subscriptions", "/_page/live", "/_page/workbench.js"] {
        let page = workbench.get(path).await;
        assert_eq!(page.status, 401, "{path}");
        page.has_not("<html");
    }
    assert_eq!(workbench.post("/faults/off", &[]).await.status, 401);
    let login = workbench.get("/login").await;
    login.has("href=\"/_page/workbench.css\"").has_not("role=\"alert\"");
    assert_eq!(workbench.get("/_page/workbench.css").await.status, 200);
    let wrong = send(workbench.form("/login", &[("token", "wrong")])).await;
    wrong.has("role=\"alert\"").has("aria-invalid=\"true\" aria-describedby=\"problem\"");

    let signed_in = workbench.get("/?token=the-long-token-of-the-test").await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/"));
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = send(workbench.http.get(workbench.url("/")).header("Cookie", &cookie)).await;
    assert_eq!(page.status, 200);
    check("/", &page);
    page.has("curl -H &quot;Authorization: Bearer $UPLOADCARE_SIM_TOKEN&quot; http://");
    let url = receiver::answering(204, "a", "").await;
    let fields = [("event", "file.uploaded"), ("target_url", url.as_str())];
    let form = workbench.form("/subscriptions", &fields).header("Cookie", &cookie);
    let own = form.try_clone().unwrap().header("Origin", workbench.simulator.base_url());
    assert_eq!(send(own).await.status, 303);
    assert_eq!(send(form.header("Origin", "http://evil.example")).await.status, 403);
    assert_eq!(workbench.simulator.subscriptions().len(), 1);
}
