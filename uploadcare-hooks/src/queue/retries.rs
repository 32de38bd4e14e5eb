//! When a failed job is tried again. Knows no storage.

use std::time::Duration;

use crate::router::BuildProblem;

/// The longest delay that can be set.
const MAX_DELAY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often a job is tried, and how long it waits in between; for
/// [`queue_retries`](crate::WebhookRouterBuilder::queue_retries).
///
/// By default a job is tried 25 times. The delay doubles from 1 second to at most 6 hours, and each
/// delay is made longer by a random part of up to 30 percent, so that jobs that failed together are
/// not tried again together. All delays last for 72 hours on average, which is how long
/// [Uploadcare itself](https://uploadcare.com/docs/webhooks/) redelivers.
///
/// ```
/// use std::time::Duration;
/// use uploadcare_hooks::queue::Retries;
///
/// let twelve_hours = Retries::new(15).first_delay(Duration::from_secs(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self::new(25)
    }
}

impl Retries {
    /// The most attempts that can be set.
    pub const MAX_ATTEMPTS: u32 = 1000;

    /// Tries a job this often, the first attempt included: 1 to
    /// [`MAX_ATTEMPTS`](Self::MAX_ATTEMPTS).
    pub fn new(attempts: u32) -> Self {
        Self { attempts, first: Duration::from_secs(1), longest: Duration::from_secs(6 * 60 * 60) }
    }

    /// Sets the delay after the first attempt; each later one is twice as long. Defaults to 1
    /// second.
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// Sets the longest delay. Defaults to 6 hours, and can be 30 days.
    pub fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest = delay;
        self
    }

    /// How often a job is tried.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The delay after this attempt, counted from 1, without its random part.
    fn delay(&self, attempt: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// How long a failed job waits for its next attempt; `None` if this one was its last.
    pub(super) fn delay_after(&self, attempt: u32) -> Option<Duration> {
        let delay = (attempt < self.attempts).then(|| self.delay(attempt))?;
        Some(with_random_part(delay))
    }

    /// How long a job that no process could start waits, after it has waited for `age` in all;
    /// `None` if a job that was tried all the time would be dead by now.
    pub(super) fn delay_unstarted(&self, age: Duration) -> Option<Duration> {
        const LONGEST: Duration = Duration::from_secs(5 * 60);
        let all = (1..self.attempts).map(|attempt| self.delay(attempt)).fold(Duration::ZERO, Duration::saturating_add);
        (age < all).then(|| with_random_part((age / 2).max(self.first).min(self.longest).min(LONGEST)))
    }

    pub(super) fn problems(&self) -> Vec<BuildProblem> {
        let mut problems = Vec::new();
        if !(1..=Self::MAX_ATTEMPTS).contains(&self.attempts) {
            problems.push(BuildProblem::QueueAttempts { attempts: self.attempts, most: Self::MAX_ATTEMPTS });
        }
        if self.first.is_zero() || self.first > self.longest || self.longest > MAX_DELAY {
            problems.push(BuildProblem::QueueDelays { first: self.first, longest: self.longest, most: MAX_DELAY });
        }
        problems
    }
}

fn with_random_part(delay: Duration) -> Duration {
    delay.mul_f64(1.0 + 0.3 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_lasts_for_about_72_hours() {
        let hours = |attempts: &dyn Fn(u32) -> Option<Duration>| {
            (1..=25).filter_map(attempts).map(|delay| delay.as_secs_f64()).sum::<f64>() / 3600.0
        };
        let retries = Retries::default();
        let average = (0..200).map(|_| hours(&|attempt| retries.delay_after(attempt))).sum::<f64>() / 200.0;
        assert!((71.0..74.0).contains(&average), "{average}");
        assert_eq!(retries.delay(1), Duration::from_secs(1));
        assert_eq!(retries.delay(5), Duration::from_secs(16));
        assert_eq!(retries.delay(24), Duration::from_secs(6 * 60 * 60));
        assert!(retries.delay_after(24).is_some());
        assert_eq!(retries.delay_after(25), None);
    }

    #[test]
    fn a_job_that_no_process_can_start_waits_half_its_age_and_for_as_long_as_attempts_last() {
        let retries = Retries::default();
        let within = |age: u64, least: u64, most: u64| {
            let delay = retries.delay_unstarted(Duration::from_secs(age)).unwrap();
            assert!((Duration::from_secs(least)..=Duration::from_secs(most)).contains(&delay), "{age}: {delay:?}");
        };
        within(0, 1, 2);
        within(60, 30, 39);
        within(24 * 60 * 60, 300, 390);
        assert_eq!(retries.delay_unstarted(Duration::from_secs(72 * 60 * 60)), None);
        assert_eq!(Retries::new(1).delay_unstarted(Duration::ZERO), None);
    }

    #[test]
    fn extreme_delays_do_not_overflow() {
        let retries = Retries::new(1000).first_delay(Duration::from_secs(9)).longest_delay(MAX_DELAY);
        assert!(retries.problems().is_empty());
        assert_eq!(retries.delay(999), MAX_DELAY);
        assert!(retries.delay_unstarted(Duration::from_secs(u64::from(u32::MAX))).is_none());
    }
}
