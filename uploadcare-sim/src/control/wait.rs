//! Waits until deliveries are acknowledged or failed.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::bad;
use crate::{
    project::{Change, Delivery, DeliveryState, Missed, Project},
    search::{Search, number},
};

const DEFAULT_MS: u64 = 30_000;
const MOST_MS: u64 = 600_000;

/// What is waited for: any of these numbers.
#[derive(Debug, Clone, Copy)]
struct Goal {
    acknowledged: Option<u64>,
    failed: Option<u64>,
    finished: Option<u64>,
}

impl Goal {
    fn read(parameters: &BTreeMap<String, String>) -> Result<Self, String> {
        let read =
            |name: &str| parameters.get(name).map(|value| number(name, value, 0, u64::from(u32::MAX))).transpose();
        let goal = Self { acknowledged: read("acknowledged")?, failed: read("failed")?, finished: read("finished")? };
        if let Self { acknowledged: None, failed: None, finished: None } = goal {
            return Err("say what to wait for with `acknowledged`, `failed` or `finished` (either), such as \
                        `acknowledged=3`"
                .to_owned());
        }
        Ok(goal)
    }

    fn is_reached(self, counts: Counts) -> bool {
        let reached = |goal: Option<u64>, count| goal.is_some_and(|goal| count >= goal);
        reached(self.acknowledged, counts.acknowledged)
            || reached(self.failed, counts.failed)
            || reached(self.finished, counts.acknowledged + counts.failed)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    acknowledged: u64,
    failed: u64,
}

/// Counts the finished deliveries that a search wants.
struct Counter<'a> {
    project: &'a Project,
    search: Search,
    /// The finished deliveries by number, also those that were dropped since. Empty if all
    /// deliveries are wanted, because the project counts these itself.
    finished: HashMap<u64, DeliveryState>,
    counts: Counts,
    complete: bool,
}

impl Counter<'_> {
    /// Counts the kept deliveries.
    fn look(&mut self) {
        let totals = self.project.totals();
        if self.search.is_empty() {
            self.counts = Counts { acknowledged: totals.acknowledged, failed: totals.failed };
            return;
        }
        self.complete &= totals.dropped == 0;
        for delivery in self.project.deliveries() {
            self.count(&delivery);
        }
    }

    fn count(&mut self, delivery: &Delivery) {
        if delivery.state == DeliveryState::Waiting || !self.search.matches(delivery) {
            return;
        }
        if self.search.is_empty() {
            self.look();
        } else if self.finished.insert(delivery.number, delivery.state).is_none() {
            match delivery.state {
                DeliveryState::Acknowledged => self.counts.acknowledged += 1,
                _ => self.counts.failed += 1,
            }
        }
    }

    fn forget(&mut self) {
        self.finished.clear();
        self.counts = Counts::default();
        self.complete = true;
    }

    fn answer(&self, status: StatusCode) -> HttpResponse {
        let deliveries = self.project.deliveries();
        let is_waiting =
            |delivery: &&Delivery| delivery.state == DeliveryState::Waiting && self.search.matches(delivery);
        let waiting = deliveries.iter().map(|delivery| &**delivery).filter(is_waiting).count();
        let Counts { acknowledged, failed } = self.counts;
        let finished = acknowledged + failed;
        HttpResponse::build(status).json(Answer { acknowledged, failed, finished, waiting, complete: self.complete })
    }
}

#[derive(Serialize)]
struct Answer {
    acknowledged: u64,
    failed: u64,
    /// Acknowledged or failed.
    finished: u64,
    waiting: usize,
    /// Whether all deliveries since the last reset are counted. With filters, those that were
    /// dropped before are not.
    complete: bool,
}

pub(super) async fn wait(project: Data<Project>, request: HttpRequest) -> HttpResponse {
    let names = ["acknowledged", "failed", "finished", "timeout_ms"];
    let read = Search::parse_with(request.query_string(), &names).and_then(|(search, parameters)| {
        let time = parameters.get("timeout_ms");
        let time = time.map_or(Ok(DEFAULT_MS), |time| number("timeout_ms", time, 0, MOST_MS))?;
        Ok((search, Goal::read(&parameters)?, Duration::from_millis(time)))
    });
    let (search, goal, time) = match read {
        Ok(read) => read,
        Err(problem) => return bad(&problem),
    };
    let deadline = Instant::now() + time;
    // Watches before it counts, so that it misses none.
    let mut changes = project.watch();
    let mut counter =
        Counter { project: &project, search, finished: HashMap::new(), counts: Counts::default(), complete: true };
    counter.look();
    while !goal.is_reached(counter.counts) {
        match timeout_at(deadline, changes.recv()).await {
            Err(_) | Ok(Err(Missed::Closed) | Ok(Change::Stop)) => {
                return counter.answer(StatusCode::REQUEST_TIMEOUT);
            }
            Ok(Ok(Change::Delivery(delivery))) => counter.count(&delivery),
            Ok(Ok(Change::Reset)) => counter.forget(),
            Ok(Ok(_)) => {}
            Ok(Err(Missed::Lagged(_))) => counter.look(),
        }
    }
    counter.answer(StatusCode::OK)
}
