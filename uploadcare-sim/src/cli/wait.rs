//! Waits for the deliveries that a command ordered.

use std::{collections::BTreeMap, time::Duration};

use actix_web::rt::time::timeout;
use clap::ArgMatches;
use serde_json::Value;

use super::remote::{Changes, Problem, Remote, print};

/// Sends an order, prints the ids of its deliveries, and waits for them if the arguments say so.
pub(super) async fn order(remote: &Remote, arguments: &ArgMatches, path: &str, order: &Value) -> Result<(), Problem> {
    let Some(seconds) = arguments.get_one::<u64>("wait") else {
        let answer = remote.post(path, order).await?;
        return ids(&answer).iter().try_for_each(|id| print(id));
    };
    // Watches before it sends the order, so that it misses nothing.
    let mut changes = remote.changes("").await?;
    let answer = remote.post(path, order).await?;
    let mut open: BTreeMap<String, Value> = ids(&answer).into_iter().map(|id| (id, Value::Null)).collect();
    if open.is_empty() {
        return Err(Problem::Refused(
            "no active subscription gets the event, so there is nothing to wait for".to_owned(),
        ));
    }
    let mut failed = 0;
    let finished = timeout(Duration::from_secs(*seconds), finish(remote, &mut changes, &mut open, &mut failed)).await;
    if let Ok(finished) = finished {
        finished?;
    }
    for (id, delivery) in &open {
        print(&line(id, delivery))?;
    }
    match (open.len(), failed) {
        (0, 0) => Ok(()),
        (0, failed) => Err(Problem::Refused(format!("deliveries that failed: {failed}"))),
        (open, _) => {
            Err(Problem::Refused(format!("deliveries that were not acknowledged within {seconds} seconds: {open}")))
        }
    }
}

/// Follows the open deliveries until all of them are finished. Prints each when it is.
async fn finish(
    remote: &Remote,
    changes: &mut Changes,
    open: &mut BTreeMap<String, Value>,
    failed: &mut usize,
) -> Result<(), Problem> {
    while !open.is_empty() {
        let Some((event, data)) = changes.next().await? else {
            return Err(Problem::Unreachable("the simulator stopped".to_owned()));
        };
        match event.as_str() {
            "delivery" => take(open, data, failed)?,
            "reset" => return Err(Problem::Refused("the simulator was reset".to_owned())),
            // Some changes are missing from the stream.
            "lagged" => {
                for id in open.keys().cloned().collect::<Vec<_>>() {
                    take(open, remote.get(&format!("/deliveries/{id}")).await?, failed)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn take(open: &mut BTreeMap<String, Value>, delivery: Value, failed: &mut usize) -> Result<(), Problem> {
    let Some(id) = delivery.get("id").and_then(Value::as_str).map(str::to_owned) else { return Ok(()) };
    if !open.contains_key(&id) {
        return Ok(());
    }
    match delivery.get("state").and_then(Value::as_str) {
        Some("waiting") | None => drop(open.insert(id, delivery)),
        Some(state) => {
            *failed += usize::from(state != "acknowledged");
            print(&line(&id, &delivery))?;
            open.remove(&id);
        }
    }
    Ok(())
}

/// What became of a delivery so far, in one line.
fn line(id: &str, delivery: &Value) -> String {
    let state = delivery.get("state").and_then(Value::as_str).unwrap_or("waiting");
    let attempts = delivery.get("attempts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let status = attempts.last().and_then(|last| last.pointer("/answer/status")).and_then(Value::as_u64);
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    format!("{id} {state}, attempts: {}, last status: {status}", attempts.len())
}

fn ids(answer: &Value) -> Vec<String> {
    let ids = answer.get("deliveries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}
