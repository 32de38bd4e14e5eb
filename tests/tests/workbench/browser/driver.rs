//! Steers a headless Chromium through its driver.

use std::{path::PathBuf, time::Duration};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    key::Key,
    wd::{WebDriverCompatibleCommand, WindowHandle},
};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{Value, json};

const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

/// A colour scheme of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    fn name(self) -> &'static str {
        if self == Self::Light { "light" } else { "dark" }
    }
}

pub(super) struct Browser(Client);

/// A command that is Chromium's own.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    pub(super) async fn start(driver: &str) -> Self {
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": ARGUMENTS},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        Self(builder.capabilities(capabilities).connect(driver).await.unwrap())
    }

    pub(super) async fn close(self) {
        self.0.close().await.unwrap();
    }

    async fn own(&self, path: &'static str, body: Value) -> Value {
        self.0.issue_cmd(Own { path, body }).await.unwrap()
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.own("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }

    async fn script(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.unwrap()
    }

    pub(super) async fn goto(&self, url: &str) {
        self.0.goto(url).await.unwrap();
    }

    pub(super) async fn window(&self) -> WindowHandle {
        self.0.window().await.unwrap()
    }

    /// Opens another window, and goes on in it.
    pub(super) async fn new_window(&self) -> WindowHandle {
        let handle = self.0.new_window(false).await.unwrap().handle;
        self.switch_to(&handle).await;
        handle
    }

    pub(super) async fn switch_to(&self, window: &WindowHandle) {
        self.0.switch_to_window(window.clone()).await.unwrap();
    }

    /// Sets how wide the page is shown. A window of Chromium cannot be as narrow as a telephone.
    pub(super) async fn set_width(&self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    pub(super) async fn set_theme(&self, theme: Theme) {
        let feature = json!({"name": "prefers-color-scheme", "value": theme.name()});
        self.devtools("Emulation.setEmulatedMedia", json!({"features": [feature]})).await;
    }

    async fn find(&self, selector: &str) -> Element {
        let wait = self.0.wait().at_most(Duration::from_secs(10));
        wait.for_element(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("no {selector}: {error}"))
    }

    pub(super) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Replaces the text of an input.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let input = self.find(selector).await;
        input.clear().await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    /// Replaces a part of what is in an input.
    pub(super) async fn replace_in(&self, selector: &str, from: &str, to: &str) {
        self.find(selector).await;
        let arguments = vec![json!(selector), json!(from), json!(to)];
        let script = "const input = document.querySelector(arguments[0]); const before = input.value; \
                      input.value = before.replaceAll(arguments[1], arguments[2]); return before !== input.value;";
        assert_eq!(self.0.execute(script, arguments).await.unwrap(), true, "{from:?} is not in {selector}");
    }

    pub(super) async fn choose(&self, selector: &str, value: &str) {
        self.find(selector).await.select_by_value(value).await.unwrap();
    }

    /// Waits until an element has this text.
    pub(super) async fn wait_for_text(&self, selector: &str, text: &str) {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        let mut last = Value::Null;
        for _ in 0..200 {
            // A page that is just being replaced answers nothing.
            if let Ok(found) = self.0.execute(script, vec![json!(selector)]).await {
                if found.as_str().is_some_and(|found| found.contains(text)) {
                    return;
                }
                last = found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let page = self.script("return location.href + ' ' + document.body.innerText").await;
        panic!("{selector} has {last}, and not {text:?}: {page}");
    }

    pub(super) async fn is_shown(&self, selector: &str) -> bool {
        self.find(selector).await.is_displayed().await.unwrap()
    }

    pub(super) async fn count(&self, selector: &str) -> usize {
        self.0.find_all(Locator::Css(selector)).await.unwrap().len()
    }

    /// Leaves a mark that is gone when the page is loaded again.
    pub(super) async fn mark(&self, text: &str) {
        self.0.execute("window.mark = arguments[0]", vec![json!(text)]).await.unwrap();
    }

    pub(super) async fn marked(&self) -> Value {
        self.script("return window.mark ?? null").await
    }

    /// Lets the script of the page wait before it gets what it loads.
    pub(super) async fn slow_down_loading(&self, milliseconds: u32) {
        let script = "const load = window.fetch; window.fetch = async (...request) => { \
                      const answer = await load(...request); \
                      await new Promise((done) => setTimeout(done, arguments[0])); return answer; };";
        self.0.execute(script, vec![json!(milliseconds)]).await.unwrap();
    }

    pub(super) async fn background(&self) -> String {
        self.script("return getComputedStyle(document.body).backgroundColor").await.as_str().unwrap().to_owned()
    }

    /// How wide the content is.
    pub(super) async fn scroll_width(&self) -> u64 {
        self.script("return document.documentElement.scrollWidth").await.as_u64().unwrap()
    }

    /// Opens everything that can be opened.
    pub(super) async fn open_all(&self) {
        self.script("for (const item of document.querySelectorAll('details')) item.open = true").await;
    }

    /// Writes a picture of the whole page to `screenshots/` in Cargo's target folder.
    pub(super) async fn shot(&self, name: &str, theme: Theme) {
        self.set_theme(theme).await;
        let size = self.script("return [innerWidth, document.documentElement.scrollHeight]").await;
        let (width, height) = (size[0].as_u64().unwrap(), size[1].as_u64().unwrap());
        let size = json!({"width": width, "height": height.clamp(600, 4000), "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let png = self.0.screenshot().await.unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}-{width}-{}.png", theme.name())), png).unwrap();
    }

    /// What the console has that is new: errors, warnings, and what the policy of the page blocked.
    pub(super) async fn console(&self) -> Vec<String> {
        let log = self.own("se/log", json!({"type": "browser"})).await;
        log.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Takes from the console that a page was answered with 400, which the test meant to happen.
    pub(super) async fn expect_failed_requests(&self) {
        let lines = self.console().await;
        assert!(lines.iter().all(|line| line.contains("the server responded with a status of 400")), "{lines:?}");
    }

    /// The texts whose contrast is below 4.5 to 1, which WCAG 2 asks for at level AA.
    pub(super) async fn weak_contrasts(&self) -> Vec<String> {
        let weak = self.script(include_str!("contrast.js")).await;
        weak.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    async fn press(&self, key: Key) {
        let value = key.into();
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        self.0.perform_actions(keys).await.unwrap();
    }

    pub(super) async fn press_tab(&self) {
        self.press(Key::Tab).await;
    }

    pub(super) async fn press_enter(&self) {
        self.press(Key::Enter).await;
    }

    pub(super) async fn focused_text(&self) -> String {
        let script = "const focused = document.activeElement; \
                      return focused === document.body ? '' : focused.innerText || focused.id || focused.tagName;";
        self.script(script).await.as_str().unwrap_or_default().to_owned()
    }

    /// Presses Tab until the focus leaves the page. Returns the texts of what had it, each of which
    /// must show that it has it.
    pub(super) async fn tab_through(&self, most: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..most {
            self.press_tab().await;
            let text = self.focused_text().await;
            if text.is_empty() {
                break;
            }
            let outline = self.script("return getComputedStyle(document.activeElement).outlineStyle").await;
            assert_ne!(outline, "none", "{text:?} does not show that it has the focus");
            texts.push(text);
        }
        texts
    }
}
