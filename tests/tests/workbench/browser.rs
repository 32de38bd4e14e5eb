//! The page in a real browser, with its script. Runs where `TEST_WEBDRIVER_URL` names a driver.

mod driver;

use std::time::Duration;

use super::{
    Workbench,
    receiver::{self, SECRET},
};
use driver::{Browser, Theme};
use uploadcare_sim::Simulator;

const WIDE: u32 = 1280;
const NARROW: u32 = 380;

/// A browser; `None`, with a word about it, where there is no driver.
async fn browser() -> Option<Browser> {
    match std::env::var("TEST_WEBDRIVER_URL") {
        Ok(url) => Some(Browser::start(&url).await),
        Err(_) => {
            println!("skipped: TEST_WEBDRIVER_URL names no driver, such as http://127.0.0.1:9515");
            None
        }
    }
}

/// A workbench with an application that is subscribed to every event.
async fn with_application() -> (Workbench, tests::application::Seen) {
    // The second attempt comes soon, and a third one does not disturb the test.
    let workbench = Workbench::with_redelivery_after(&[300, 600_000]);
    let (url, seen) = receiver::application().await;
    for event in ["file.uploaded", "file.info_updated"] {
        workbench.subscribe(event, &url, SECRET).await;
    }
    (workbench, seen)
}

#[tokio::test]
async fn an_event_is_triggered_seen_live_replayed_paused_and_broken() {
    let Some(browser) = browser().await else { return };
    let (workbench, seen) = with_application().await;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/")).await;
    browser.wait_for_text("#live", "Live").await;
    browser.shot("start", Theme::Light).await;
    let list = browser.window().await;

    // Another window triggers, and the list shows it without being loaded again.
    browser.mark("not loaded again").await;
    let form = browser.new_window().await;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/trigger")).await;
    browser.fill("#data-original_filename", "holiday.jpg").await;
    browser.shot("trigger", Theme::Light).await;
    browser.click("button[value=trigger]").await;
    browser.wait_for_text(".summary", "Acknowledged").await;
    browser.wait_for_text(".signature", "verifies with the secret of subscription 1").await;
    browser.shot("delivery", Theme::Light).await;
    browser.switch_to(&list).await;
    browser.wait_for_text("#rows tr:first-child", "holiday.jpg").await;
    browser.wait_for_text("#rows tr:first-child", "Acknowledged").await;
    assert_eq!(browser.marked().await, "not loaded again");
    browser.wait_for_text("#announcements", "new deliver").await;

    // A wrong filter says so, and a right one finds the delivery.
    browser.fill("#f-uuid", "cat").await;
    browser.click(".filter button").await;
    browser.wait_for_text("[role=alert]", "which is no UUID").await;
    browser.expect_failed_requests().await;
    browser.shot("filter-error", Theme::Light).await;
    browser.fill("#f-uuid", "").await;
    browser.fill("#f-text", "HOLIDAY").await;
    browser.click(".filter button").await;
    browser.wait_for_text("#rows", "holiday.jpg").await;
    assert_eq!(browser.count("[role=alert]").await, 0);

    // Opened and replayed with another name.
    browser.click("#rows .event a").await;
    browser.click("#edit > summary").await;
    browser.replace_in("#body", "holiday.jpg", "beach.jpg").await;
    browser.click("#edit button").await;
    browser.wait_for_text(".summary", "edited copy of #1").await;
    browser.wait_for_text(".summary", "Acknowledged").await;
    assert_eq!(seen.take().len(), 2);

    // A paused subscription gets nothing.
    browser.goto(&workbench.url("/subscriptions")).await;
    browser.click("[aria-label='Pause subscription 1']").await;
    browser.wait_for_text("#subscription-1", "Paused").await;
    browser.shot("subscriptions", Theme::Light).await;
    browser.goto(&workbench.url("/trigger")).await;
    browser.click("button[value=trigger]").await;
    browser.wait_for_text("[role=alert]", "nothing was sent").await;
    browser.expect_failed_requests().await;
    browser.goto(&workbench.url("/subscriptions")).await;
    browser.click("[aria-label='Resume subscription 1']").await;
    browser.wait_for_text("#subscription-1", "Active").await;
    assert_eq!(workbench.simulator.deliveries().len(), 2);

    // A fault makes the application refuse, and the second try comes live.
    browser.goto(&workbench.url("/faults")).await;
    browser.click("[aria-label='Switch wrong_secret on']").await;
    browser.wait_for_text(".banner", "wrong_secret (100 %)").await;
    browser.shot("faults", Theme::Light).await;
    browser.goto(&workbench.url("/trigger?event=file.info_updated")).await;
    browser.click("button[value=trigger]").await;
    browser.wait_for_text("#attempt-2", "401").await;
    browser.wait_for_text("#attempt-2", "wrong: the fault wrong_secret was on").await;
    browser.wait_for_text(".next", "The next attempt is due in 9 min").await;
    browser.shot("refused", Theme::Dark).await;
    assert_eq!(seen.take(), [""; 0]);
    browser.click(".banner button").await;
    browser.wait_for_text("main", "No faults are set").await;
    assert_eq!(browser.count(".banner").await, 0);

    browser.switch_to(&form).await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn every_page_is_whole_in_both_themes_wide_and_narrow() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    let failing = receiver::answering(500, "<b>", "{\"error\": \"the database is down\", \"code\": 17}").await;
    workbench.subscribe("file.stored", &failing, "").await;
    let name = "<script>alert(1)</script>\u{202E}gpj.exe";
    for (event, file) in [
        ("file.uploaded", "harbour at night.jpg"),
        ("file.stored", "harbour at night.jpg"),
        ("file.uploaded", name),
        ("file.uploaded", &"long".repeat(60)),
        ("file.info_updated", "Ωκεανός – океан.png"),
    ] {
        let fields = [("event", event), ("was.original_filename", "null"), ("data.original_filename", file)];
        assert_eq!(workbench.post("/trigger", &fields).await.status, 303);
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let deliveries = workbench.simulator.deliveries();
    let id = |number: u64| deliveries.iter().find(|one| one.number == number).unwrap().id;
    workbench.post(&format!("/deliveries/{}/replay", id(1)), &[]).await;
    for (name, path) in [
        ("list", "/".to_owned()),
        ("delivery-changed", format!("/deliveries/{}", id(5))),
        ("delivery-failing", format!("/deliveries/{}", id(2))),
        ("delivery-hostile", format!("/deliveries/{}", id(3))),
        ("compare", format!("/compare?from={}&to={}", id(1), id(3))),
        ("trigger", "/trigger".to_owned()),
        ("trigger-raw", "/trigger?event=moderation.state_changed&raw=1".to_owned()),
        ("subscriptions", "/subscriptions".to_owned()),
        ("subscription", "/subscriptions/3".to_owned()),
        ("faults", "/faults".to_owned()),
    ] {
        for (width, theme) in [(WIDE, Theme::Light), (WIDE, Theme::Dark), (NARROW, Theme::Light), (NARROW, Theme::Dark)]
        {
            browser.set_width(width).await;
            browser.set_theme(theme).await;
            browser.goto(&workbench.url(&path)).await;
            browser.open_all().await;
            browser.shot(name, theme).await;
            assert_eq!(browser.scroll_width().await, u64::from(width), "{path} scrolls sideways in {width} pixels");
            assert_eq!(browser.weak_contrasts().await, [""; 0], "{path} in {theme:?} at {width} pixels");
        }
    }
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_narrow_window_shows_the_filter_when_it_is_set_or_opened() {
    let Some(browser) = browser().await else { return };
    let workbench = Workbench::start();
    for (width, path, shown) in [(WIDE, "/", true), (NARROW, "/", false), (NARROW, "/?status=5xx", true)] {
        browser.set_width(width).await;
        browser.goto(&workbench.url(path)).await;
        assert_eq!(browser.is_shown("#f-status").await, shown, "{path} at {width} pixels");
    }
    browser.goto(&workbench.url("/")).await;
    browser.click(".filter > summary").await;
    browser.fill("#f-status", "5xx").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_command_is_copied_with_a_button() {
    let Some(browser) = browser().await else { return };
    let workbench = Workbench::start();
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/")).await;
    browser.wait_for_text(".command button", "Copy").await;
    browser.click(".command button").await;
    browser.wait_for_text(".command button", "Copied").await;
    browser.wait_for_text("#announcements", "Copied").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_theme_is_chosen_and_kept() {
    let Some(browser) = browser().await else { return };
    let workbench = Workbench::start();
    browser.set_width(WIDE).await;
    browser.set_theme(Theme::Light).await;
    browser.goto(&workbench.url("/")).await;
    let light = browser.background().await;
    browser.choose("#theme-choice", "dark").await;
    let dark = browser.background().await;
    assert_ne!(light, dark);
    browser.goto(&workbench.url("/faults")).await;
    assert_eq!(browser.background().await, dark);
    browser.choose("#theme-choice", "auto").await;
    assert_eq!(browser.background().await, light);
    browser.set_theme(Theme::Dark).await;
    assert_eq!(browser.background().await, dark);
    browser.choose("#theme-choice", "light").await;
    assert_eq!(browser.background().await, light);
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_keyboard_reaches_the_skip_link_and_the_main_actions() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    workbench.finished(1).await;
    browser.set_width(WIDE).await;
    for (path, wanted) in [
        (
            "/",
            vec![
                "Skip to the content",
                "Subscriptions",
                "Trigger an event",
                "Filter",
                "file.uploaded",
                "Compare the two",
            ],
        ),
        (
            "/trigger",
            vec!["Skip to the content", "file.stored", "Use this event", "Trigger file.uploaded", "Edit as JSON"],
        ),
        ("/subscriptions", vec!["Show", "Pause", "Edit or delete", "Create"]),
        ("/faults", vec!["Switch on", "Add fault"]),
    ] {
        browser.goto(&workbench.url(path)).await;
        let reached = browser.tab_through(90).await;
        let first = reached.first().cloned().unwrap_or_default();
        assert_eq!(first, "Skip to the content", "{path}: {reached:?}");
        for wanted in wanted {
            assert!(reached.iter().any(|text| text.starts_with(wanted)), "{path}: {wanted:?} is not in {reached:?}");
        }
    }
    // The skip link leads past the navigation.
    browser.goto(&workbench.url("/trigger")).await;
    browser.press_tab().await;
    browser.press_enter().await;
    browser.press_tab().await;
    assert_eq!(browser.focused_text().await, "file.uploaded");
    browser.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_shown_and_what_was_missed_is_loaded() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/")).await;
    browser.wait_for_text("#live", "Live").await;
    browser.wait_for_text("#rows", "file.uploaded").await;
    let address = workbench.simulator.base_url().trim_start_matches("http://").parse().unwrap();
    workbench.simulator.stop().await;
    browser.wait_for_text("#live", "Reconnecting").await;

    // Another simulator at the same address has no deliveries.
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start(address).unwrap();
    browser.wait_for_text("#live", "Live").await;
    browser.wait_for_text("#live-part", "No deliveries yet").await;
    let workbench = Workbench { simulator, http: workbench.http };
    workbench.subscribe("file.stored", "http://127.0.0.1:1/hooks", "").await;
    workbench.post("/trigger", &[("event", "file.stored")]).await;
    browser.wait_for_text("#rows tr:first-child", "file.stored").await;
    browser.close().await;
}

#[tokio::test]
async fn a_change_that_comes_while_the_page_is_loaded_again_is_shown() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/")).await;
    browser.wait_for_text("#live", "Live").await;
    // The first delivery makes the page load its list, and comes late as one that still waits.
    browser.slow_down_loading(1500).await;
    workbench.post("/trigger", &[("event", "file.uploaded"), ("delay_ms", "1200")]).await;
    workbench.finished(1).await;
    browser.wait_for_text("#rows tr:first-child", "file.uploaded").await;
    browser.wait_for_text("#rows tr:first-child", "Acknowledged").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_burst_is_shown_live_up_to_the_newest_hundred() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    workbench.post("/trigger", &[("event", "file.info_updated")]).await;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url("/?event=file.uploaded")).await;
    browser.wait_for_text("#live", "Live").await;
    browser.wait_for_text("#live-part", "No delivery matches.").await;
    workbench.post("/trigger", &[("event", "file.uploaded"), ("burst", "150")]).await;
    workbench.finished(151).await;
    browser.wait_for_text("#rows tr:first-child", "#151").await;
    browser.wait_for_text("#rows tr:last-child", "Acknowledged").await;
    assert_eq!(browser.count("#rows tr").await, 100);
    browser.click("#older").await;
    browser.wait_for_text("#rows tr:first-child", "#51").await;
    assert_eq!((browser.count("#rows tr").await, browser.count("#live[data-state=live]").await), (50, 0));
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_page_of_a_delivery_that_is_dropped_says_so_once() {
    let Some(browser) = browser().await else { return };
    let (workbench, _) = with_application().await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let delivery = workbench.finished(1).await[0].id;
    browser.set_width(WIDE).await;
    browser.goto(&workbench.url(&format!("/deliveries/{delivery}"))).await;
    browser.wait_for_text("#live", "Live").await;
    workbench.http.post(workbench.url("/_sim/reset")).send().await.unwrap();
    browser.wait_for_text("#live", "This delivery is no longer kept").await;
    browser.wait_for_text("#announcements", "This delivery is no longer kept").await;
    // What was shown stays to be read.
    browser.wait_for_text("#attempt-1", "204").await;
    browser.close().await;
}
