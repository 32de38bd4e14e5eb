//! Waits for the deliveries that a command ordered.

use std::{collections::BTreeMap, ffi::OsString, time::Duration};

use actix_web::rt::time::timeout;
use clap::{Arg, ArgMatches, value_parser};
use serde_json::Value;

use super::remote::{Changes, Problem, Remote, print, status};

pub(super) fn arg() -> Arg {
    Arg::new("wait")
        .long("wait")
        .value_name("SECONDS")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("30")
        .value_parser(value_parser!(u64).range(1..=86_400))
        .help(
            "Wait until all deliveries are acknowledged or failed, but not longer than so many seconds. Without a \
             number, 30",
        )
}

/// Refuses `--wait 10`. Clap would take the number for another argument, such as the event.
pub(super) fn check_separator(arguments: &[OsString]) -> Result<(), String> {
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    let mut numbers = pairs.filter(|(option, _)| *option == "--wait").filter_map(|(_, next)| next.to_str());
    match numbers.find(is_number) {
        Some(seconds) => Err(format!("the seconds follow `--wait` after an equals sign: write `--wait={seconds}`")),
        None => Ok(()),
    }
}

/// Sends an order, prints the ids of its deliveries, and waits for them if the arguments say so.
/// Returns how many there are.
pub(super) async fn order(
    remote: &Remote,
    arguments: &ArgMatches,
    path: &str,
    order: &Value,
) -> Result<usize, Problem> {
    let Some(seconds) = arguments.get_one::<u64>("wait") else {
        let ids = ids(&remote.post(path, order).await?);
        ids.iter().try_for_each(|id| print(id))?;
        return Ok(ids.len());
    };
    // Watches before it sends the order, so that it misses nothing.
    let mut changes = remote.changes("").await?;
    let answer = remote.post(path, order).await?;
    let mut open: BTreeMap<String, Value> = ids(&answer).into_iter().map(|id| (id, Value::Null)).collect();
    let number = open.len();
    let mut failed = 0;
    let finished = timeout(Duration::from_secs(*seconds), finish(remote, &mut changes, &mut open, &mut failed)).await;
    if let Ok(finished) = finished {
        finished?;
    }
    for (id, delivery) in &open {
        print(&line(id, delivery))?;
    }
    match (open.len(), failed) {
        (0, 0) => Ok(number),
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
        let (event, data) = changes.next().await?;
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
    let Some(last) = attempts.last() else { return format!("{id} {state}, attempts: 0") };
    let status = status(last.pointer("/answer/status"));
    format!("{id} {state}, attempts: {}, last status: {status}", attempts.len())
}

fn ids(answer: &Value) -> Vec<String> {
    let ids = answer.get("deliveries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::check_separator;

    #[test]
    fn a_number_after_a_space_is_refused_and_other_arguments_are_not() {
        let check = |line: &str| check_separator(&line.split(' ').map(Into::into).collect::<Vec<_>>());
        let problem = check("uploadcare-sim trigger --wait 10").unwrap_err();
        assert!(problem.ends_with("write `--wait=10`"), "{problem}");
        for line in ["trigger --wait=10 a", "trigger --wait a", "replay --wait 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46"] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }
}
