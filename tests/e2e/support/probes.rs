//! What an operator tells over HTTP and in its log.

use std::time::Duration;

use serde_json::Value;

use super::operator::Operator;

const PATIENCE: Duration = Duration::from_secs(60);

impl Operator {
    /// Waits until the log has a line as asked for. Gives the last such line.
    pub async fn logged(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.lines().into_iter().rev().find(&is) {
                return line;
            }
            assert!(tokio::time::Instant::now() < deadline, "never logged: {what}\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The lines of its log, each of them a JSON object.
    pub fn lines(&self) -> Vec<Value> {
        // The last line may be only half written.
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Asks its own server, which listens where the log says.
    pub async fn ask(&self, path: &str) -> (u16, String) {
        self.try_ask(path).await.unwrap()
    }

    async fn try_ask(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let line = self.logged("where it listens", |line| line["address"].is_string()).await;
        let url = format!("http://{}{path}", line["address"].as_str().unwrap());
        let answer = reqwest::get(url).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Waits until a path of its own server answers with this status.
    pub async fn answers(&self, path: &str, status: u16) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            // After a restart the log names the old address until the new process listens.
            let last = self.try_ask(path).await;
            if last.as_ref().is_ok_and(|(last, _)| *last == status) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{path} does not answer {status}: {last:?}\n{}",
                self.tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The value of a metric without labels.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.ask("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}
