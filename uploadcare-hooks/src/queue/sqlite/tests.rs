use sqlx::Row;

use super::*;

/// A statement that reads all jobs is slow when the file holds many. The plan shows whether it
/// does.
#[tokio::test]
async fn frequent_statements_use_an_index_instead_of_reading_all_jobs() {
    let opened = SqliteFile::open(Path::new(":memory:"), "webhooks").await.unwrap_or_else(|_| panic!("no database"));
    let Statements { failed, turn, renew, hand_back, find_dead, run_again, discard, stats, clean, .. } = &opened.sql;
    for statement in [failed, turn, renew, hand_back, find_dead, run_again, discard, stats, clean] {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(&opened.pool).await.unwrap_or_default();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(!plan.is_empty(), "{statement}");
        let reads_all = |step: &String| step.contains("SCAN queue_webhooks") && !step.contains("USING INDEX due");
        assert!(!plan.iter().any(reads_all), "{statement}: {plan:?}");
    }
}
