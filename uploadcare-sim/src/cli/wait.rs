//! Waits for the deliveries that a command ordered.

use std::{collections::BTreeMap, ffi::OsString, time::Duration};

use actix_web::rt::time::timeout;
use clap::{Arg, ArgMatches, value_parser};
use serde_json::Value;

use super::remote::{Changes, Printer, Problem, Remote, print, status};

/// The state of a delivery that was answered with 2xx.
const ACKNOWLEDGED: &str = "acknowledged";

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
    let mut open = Open::new(ids(&answer));
    let number = open.waiting.len();
    let finished = timeout(Duration::from_secs(*seconds), open.finish(remote, &mut changes)).await;
    if let Ok(finished) = finished {
        finished?;
    }
    open.end(*seconds).map(|()| number)
}

/// The deliveries of an order.
struct Open {
    /// Those that are not finished, as they were seen last.
    waiting: BTreeMap<String, Value>,
    failed: usize,
    /// How many the simulator dropped with all their attempts.
    unknown: usize,
    /// The exit code tells whether all are acknowledged, so an output that cannot be written does
    /// not end the waiting.
    printer: Printer,
}

impl Open {
    fn new(ids: Vec<String>) -> Self {
        let waiting = ids.into_iter().map(|id| (id, Value::Null)).collect();
        Self { waiting, failed: 0, unknown: 0, printer: Printer::default() }
    }

    /// Follows the deliveries until all of them are finished. Prints each when it is.
    async fn finish(&mut self, remote: &Remote, changes: &mut Changes) -> Result<(), Problem> {
        while !self.waiting.is_empty() {
            let (event, data) = changes.next().await?;
            match event.as_str() {
                "delivery" => self.take(data),
                "reset" => return Err(Problem::Refused("the simulator was reset".to_owned())),
                // Some changes are missing from the stream.
                "lagged" => self.look(remote).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for all deliveries.
    async fn look(&mut self, remote: &Remote) -> Result<(), Problem> {
        let mut dropped = Vec::new();
        for id in self.waiting.keys().cloned().collect::<Vec<_>>() {
            match remote.find(&format!("/deliveries/{id}")).await? {
                Some(delivery) => self.take(delivery),
                None => dropped.push(id),
            }
        }
        if dropped.is_empty() {
            return Ok(());
        }
        // The simulator drops only deliveries that are finished, and lists attempts for longer.
        let attempts = remote.get("/deliveries").await?;
        let attempts = attempts.as_array().map_or(&[][..], Vec::as_slice);
        for id in dropped {
            let of_this = |attempt: &&Value| attempt.get("delivery").and_then(Value::as_str) == Some(&id);
            let statuses: Vec<_> = attempts.iter().filter(of_this).map(|attempt| attempt.get("status")).collect();
            self.take_dropped(&id, &statuses);
        }
        Ok(())
    }

    fn take(&mut self, delivery: Value) {
        let Some(id) = delivery.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
        if !self.waiting.contains_key(&id) {
            return;
        }
        match delivery.get("state").and_then(Value::as_str) {
            Some("waiting") | None => drop(self.waiting.insert(id, delivery)),
            Some(state) => {
                self.failed += usize::from(state != ACKNOWLEDGED);
                self.printer.print(&line(&id, &delivery));
                self.waiting.remove(&id);
            }
        }
    }

    /// Takes a delivery that is dropped, with the statuses of its attempts.
    fn take_dropped(&mut self, id: &str, statuses: &[Option<&Value>]) {
        let is_2xx = |code: &Option<&Value>| code.and_then(Value::as_u64).is_some_and(|code| code / 100 == 2);
        let Some(last) = statuses.last() else {
            self.unknown += 1;
            self.printer.print(&format!("{id} unknown"));
            self.waiting.remove(id);
            return;
        };
        // A delivery that is sent once more stays acknowledged, whatever the second answer is.
        let state = if statuses.iter().any(is_2xx) { ACKNOWLEDGED } else { "failed" };
        self.failed += usize::from(state != ACKNOWLEDGED);
        self.printer.print(&in_words(id, state, statuses.len(), &status(*last)));
        self.waiting.remove(id);
    }

    /// Prints the deliveries that are not finished, and says whether all are acknowledged.
    fn end(mut self, seconds: u64) -> Result<(), Problem> {
        for (id, delivery) in &self.waiting {
            self.printer.print(&line(id, delivery));
        }
        let problem = match (self.waiting.len(), self.failed, self.unknown) {
            (0, 0, 0) => return Ok(()),
            (0, 0, unknown) => format!(
                "deliveries of which the simulator keeps nothing any more: {unknown}; start it with a larger `--keep`"
            ),
            (0, failed, _) => format!("deliveries that failed: {failed}"),
            (open, ..) => format!("deliveries that were not acknowledged within {seconds} seconds: {open}"),
        };
        Err(Problem::Refused(problem))
    }
}

/// What became of a delivery so far, in one line.
fn line(id: &str, delivery: &Value) -> String {
    let state = delivery.get("state").and_then(Value::as_str).unwrap_or("waiting");
    let attempts = delivery.get("attempts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let Some(last) = attempts.last() else { return format!("{id} {state}, attempts: 0") };
    in_words(id, state, attempts.len(), &status(last.pointer("/answer/status")))
}

fn in_words(id: &str, state: &str, attempts: usize, status: &str) -> String {
    format!("{id} {state}, attempts: {attempts}, last status: {status}")
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
