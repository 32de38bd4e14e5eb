//! The page for administrators as HTML.

use std::fmt::Write;

use uploadcare_hooks::{
    WebhookRouter,
    queue::{Failure, Job, QueueError},
};

/// How many jobs of each kind the page shows.
pub(crate) const SHOWN: u32 = 50;

pub(crate) async fn render(hooks: &WebhookRouter) -> Result<String, QueueError> {
    let stats = hooks.queue_stats().await?;
    let (dead, failing) = (hooks.dead_jobs(SHOWN).await?, hooks.failing_jobs(SHOWN).await?);
    let oldest = stats.oldest_due.map_or_else(|| "none".to_owned(), |oldest| format!("{oldest:.1?}"));
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Queue</title>\
         <style>body{{font:16px system-ui;margin:2em;color-scheme:light dark}}td,th{{padding:.3em 1em .3em 0;\
         text-align:left;vertical-align:top}}form{{display:inline}}</style><h1>Queue</h1>\
         <p>{} waiting (oldest: {oldest}), {} running, {} scheduled, {} dead</p>",
        stats.waiting, stats.running, stats.scheduled, stats.dead
    );
    html.push_str("<h2>Dead</h2><table><tr><th>job<th>attempts<th>died<th>why<th>");
    for dead in &dead {
        row(&mut html, &dead.job, dead.attempts, &dead.died_at.to_string(), &dead.failures);
        let (handler, delivery) = (escaped(dead.job.handler()), dead.job.delivery_id());
        for (verdict, label) in [("again", "Run again"), ("discard", "Discard")] {
            let _ = write!(
                html,
                "<form method=post><input type=hidden name=handler value=\"{handler}\"><input type=hidden \
                 name=delivery value={delivery}><button name=verdict value={verdict}>{label}</button></form> "
            );
        }
    }
    html.push_str("</table><h2>Tried again</h2><table><tr><th>job<th>attempts<th>next<th>why");
    for failing in &failing {
        row(&mut html, &failing.job, failing.attempts, &failing.next_attempt.to_string(), &failing.failures);
    }
    html.push_str("</table>");
    Ok(html)
}

fn row(html: &mut String, job: &Job, attempts: u32, at: &str, failures: &[Failure]) {
    let (handler, event) = (escaped(job.handler()), escaped(job.event().as_str()));
    let _ = write!(html, "<tr><td>{handler}<br>{event}<br>{}<td>{attempts}<td>{at}<td>", job.delivery_id());
    for Failure { attempt, at, error, .. } in failures {
        let _ = write!(html, "{attempt}. {at}: {}<br>", escaped(error));
    }
    html.push_str("<td>");
}

/// Errors may quote a payload, and a payload is text of strangers.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
