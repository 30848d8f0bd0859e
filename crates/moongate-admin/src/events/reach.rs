//! Whether the database answers.

use std::time::Duration;

use tokio::task::JoinHandle;

/// Asks whether the database answers, without waiting long for one that takes its time.
#[derive(Default)]
pub(super) struct Reach {
    asked: Option<JoinHandle<bool>>,
    known: Option<bool>,
}

impl Reach {
    /// What is known by now. Runs `ask`, unless an earlier one is still waited for.
    pub(super) async fn look(&mut self, ask: impl Future<Output = bool> + Send + 'static) -> Option<bool> {
        let mut asked = self.asked.take().unwrap_or_else(|| tokio::spawn(ask));
        match tokio::time::timeout(MOMENT, &mut asked).await {
            Ok(answer) => self.known = Some(answer.unwrap_or(false)),
            Err(_) => self.asked = Some(asked),
        }
        self.known
    }
}

/// So long an answer is waited for, which is enough for most.
const MOMENT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_database_that_takes_its_time_is_asked_once_and_holds_nobody_up() {
        let mut reach = Reach::default();
        assert_eq!(reach.look(async { true }).await, Some(true));
        let (sender, receiver) = oneshot::channel();
        assert_eq!(reach.look(async { receiver.await.unwrap() }).await, Some(true), "as it was known");
        assert_eq!(reach.look(async { unreachable!("nobody asks twice") }).await, Some(true));
        sender.send(false).unwrap();
        assert_eq!(reach.look(async { true }).await, Some(false), "the answer that was waited for");
        assert_eq!(reach.look(async { true }).await, Some(true));
    }
}
