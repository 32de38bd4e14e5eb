//! Dead jobs: listed, and run again.

use std::fmt;

use apalis_core::{
    backend::{FetchById, Filter, ListAllTasks, ListTasks, TaskSink, WireFormatBackend, codec::Codec},
    task::{status::Status, task_id::TaskId},
};
use ulid::Ulid;

use super::backend::{failed, task};
use crate::{
    delivery::DeliveryId,
    queue::{Job, QueueError},
};

/// A task that will not be tried again, from [`dead_tasks`].
#[derive(Clone)]
#[non_exhaustive]
pub struct DeadTask {
    /// The job.
    pub job: Job,
    /// How often it was tried.
    pub attempts: usize,
    id: TaskId,
}

impl fmt::Debug for DeadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadTask")
            .field("id", &format_args!("{}", self.id))
            .field("job", &self.job)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl DeadTask {
    /// The id of its next run. It follows from its own id, so two callers make the same one.
    fn next_id(&self) -> TaskId {
        let id = DeliveryId::from_bytes(format!("{} again", self.id).as_bytes());
        TaskId::from_ulid(Ulid::from_bytes(*id.as_bytes()))
    }
}

/// The dead jobs that were not run again, at most `limit` of them. The log says why each of them
/// died.
///
/// Reads all tasks of the storage, so call it from an administrator's page or command, and not for
/// every request.
///
/// # Errors
/// [`QueueError`] if the storage fails.
pub async fn dead_tasks<B>(storage: &mut B, limit: u32) -> Result<Vec<DeadTask>, QueueError>
where
    B: ListTasks + ListAllTasks + FetchById + WireFormatBackend,
    B::Codec: Codec<Job, Compact = <B as WireFormatBackend>::Compact>,
{
    // One page for everything: some storages filter after they have cut pages, so an empty page may
    // not be the last.
    let filter = Filter { status: Some(Status::Killed), page: 1, page_size: Some(i32::MAX.unsigned_abs()) };
    let mut tasks = storage.list_tasks(&filter).await.map_err(|error| failed(&error))?;
    // apalis-redis 1.0.0 finds none of its own tasks that way. Its list of all tasks is one of this
    // queue, and does not name the queue.
    let all = storage.list_all_tasks(&filter).await.map_err(|error| failed(&error))?;
    tasks.extend(all.into_iter().filter(|task| task.queue().is_none()));
    let mut dead = Vec::new();
    for task in tasks {
        // Another application may keep tasks of its own in the same queue.
        let (Ok(job), Some(id)) = (storage.codec().decode(&task.args), task.task_id().cloned()) else { continue };
        if dead.len() >= limit as usize {
            break;
        }
        let attempts = task.attempt();
        let one = DeadTask { job, attempts, id };
        if storage.fetch_by_id(&one.next_id()).await.map_err(|error| failed(&error))?.is_none() {
            dead.push(one);
        }
    }
    Ok(dead)
}

/// Gives a dead job another chance, with as many attempts. A second call for the same one changes
/// nothing.
///
/// # Errors
/// [`QueueError`] if the storage fails.
pub async fn run_task_again<B, Kind>(storage: &mut B, dead: &DeadTask) -> Result<(), QueueError>
where
    B: TaskSink<Job, Kind> + FetchById,
{
    let id = dead.next_id();
    if storage.fetch_by_id(&id).await.map_err(|error| failed(&error))?.is_some() {
        return Ok(());
    }
    let job = Job { run: dead.job.run.saturating_add(1), ..dead.job.clone() };
    storage.push_task(task(&job).task_id(id).build()).await.map_err(|error| failed(&error))
}
