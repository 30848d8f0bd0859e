//! One thread through which everything goes that replaces the snapshot.
//!
//! Building a snapshot blocks, because plugins look at their configurations, and two builds at a time could
//! publish the older one last. So one plain thread does it, in order, and everybody else asks it to.

use std::io;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};

/// Why a snapshot is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A plugin was added or replaced.
    Plugins,
    /// Somebody asked to read the configuration again.
    Reload,
    /// The file of the declarative configuration has changed.
    File,
}

/// The thread. It ends when [`Control::stop`] is called.
#[derive(Debug)]
pub(crate) struct Control {
    requests: Requests,
    thread: JoinHandle<()>,
}

/// Asks the thread for things; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    sender: mpsc::UnboundedSender<Request>,
}

#[derive(Debug)]
enum Request {
    Reload(oneshot::Sender<Result<(), String>>),
    ReadFile,
    Plugins(oneshot::Sender<()>),
    Stop,
}

/// What the thread was woken for.
enum Wake {
    Changed,
    Asked(Option<Request>),
}

impl Control {
    /// Starts the thread, which calls `publish` at each change of `changes` and at each request.
    ///
    /// Changes and requests that come while `publish` runs are served by one more call together.
    pub(crate) fn start(
        changes: watch::Receiver<u64>,
        publish: impl FnMut(Trigger) -> Result<(), String> + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, requests) = mpsc::unbounded_channel();
        // It only waits, so it needs neither sockets nor timers.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let thread = std::thread::Builder::new()
            .name("control".into())
            .spawn(move || run(&runtime, changes, requests, publish))?;
        Ok(Self { requests: Requests { sender }, thread })
    }

    pub(crate) fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Ends the thread, after what it is at.
    pub(crate) fn stop(self) {
        let _ = self.requests.sender.send(Request::Stop);
        let _ = self.thread.join();
    }
}

impl Requests {
    /// Reads the configuration again and serves from it, or says why not.
    pub(crate) async fn reload(&self) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let asked = self.sender.send(Request::Reload(answer));
        let stopping = "the gateway is stopping".to_owned();
        match asked {
            Ok(()) => answered.await.unwrap_or(Err(stopping)),
            Err(_) => Err(stopping),
        }
    }
}

impl Requests {
    /// Reads the file of the declarative configuration, and serves from it if it is other than what is in use. What
    /// comes of it is in the log.
    pub(crate) fn read_file(&self) {
        // A gateway that is stopping reads nothing.
        let _ = self.sender.send(Request::ReadFile);
    }

    /// Returns when what has changed of the plugins is in use, or was found to be of no use.
    pub(crate) async fn plugins(&self) {
        let (answer, answered) = oneshot::channel();
        if self.sender.send(Request::Plugins(answer)).is_ok() {
            // An error means that the gateway is stopping, and then nothing is in use.
            let _ = answered.await;
        }
    }

    /// Whether the thread has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.sender.is_closed()
    }
}

fn run(
    runtime: &tokio::runtime::Runtime,
    mut changes: watch::Receiver<u64>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    mut publish: impl FnMut(Trigger) -> Result<(), String>,
) {
    let mut watching = true;
    loop {
        let wake = runtime.block_on(async {
            tokio::select! {
                changed = changes.changed(), if watching => {
                    watching = changed.is_ok();
                    Wake::Changed
                }
                request = requests.recv() => Wake::Asked(request),
            }
        });
        let (mut answers, mut waiting, mut file, mut plugins) = (Vec::new(), Vec::new(), false, false);
        match wake {
            Wake::Asked(Some(Request::Reload(answer))) => answers.push(answer),
            Wake::Asked(Some(Request::ReadFile)) => file = true,
            Wake::Asked(Some(Request::Plugins(answer))) => waiting.push(answer),
            Wake::Asked(Some(Request::Stop) | None) => return,
            Wake::Changed if !watching => continue,
            Wake::Changed => plugins = true,
        }
        while let Ok(request) = requests.try_recv() {
            match request {
                Request::Reload(answer) => answers.push(answer),
                Request::ReadFile => file = true,
                Request::Plugins(answer) => waiting.push(answer),
                Request::Stop => return,
            }
        }
        // Before the build: what changes from now on may be missing in it.
        plugins |= changes.has_changed().unwrap_or(false);
        changes.borrow_and_update();
        if plugins && let Err(error) = publish(Trigger::Plugins) {
            tracing::error!("the new plugins are not used, requests are served as before: {error}");
        }
        for answer in waiting {
            // Whoever asked may be gone.
            let _ = answer.send(());
        }
        if !answers.is_empty() {
            let outcome = publish(Trigger::Reload);
            if let Err(error) = &outcome {
                tracing::error!("reload refused, requests are served as before: {error}");
            }
            for answer in answers {
                // Whoever asked may be gone.
                let _ = answer.send(outcome.clone());
            }
        } else if file && let Err(error) = publish(Trigger::File) {
            // A reload has read the file as well.
            tracing::error!("the changed file is refused, requests are served as before: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    /// A control thread whose builds are told, and take their outcome from the other end.
    fn control(
        changes: &watch::Sender<u64>,
    ) -> (Control, Receiver<Trigger>, std::sync::mpsc::Sender<Result<(), String>>) {
        let (told, triggers) = channel();
        let (outcomes, outcome) = channel();
        let publish = move |trigger| {
            told.send(trigger).unwrap();
            outcome.recv().unwrap()
        };
        (Control::start(changes.subscribe(), publish).unwrap(), triggers, outcomes)
    }

    fn next(triggers: &Receiver<Trigger>) -> Trigger {
        triggers.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[tokio::test]
    async fn a_reload_is_answered_with_its_outcome() {
        let changes = watch::Sender::new(0);
        let (control, triggers, outcomes) = control(&changes);
        outcomes.send(Ok(())).unwrap();
        outcomes.send(Err("no such file".to_owned())).unwrap();
        assert_eq!(control.requests().reload().await, Ok(()));
        assert_eq!(control.requests().reload().await, Err("no such file".to_owned()));
        assert_eq!([next(&triggers), next(&triggers)], [Trigger::Reload; 2]);
        let requests = control.requests();
        control.stop();
        assert_eq!(requests.reload().await, Err("the gateway is stopping".to_owned()));
    }

    #[test]
    fn a_plugin_that_changes_during_a_build_is_in_the_next_one() {
        let changes = watch::Sender::new(0);
        let (control, triggers, outcomes) = control(&changes);
        changes.send_modify(|count| *count += 1);
        assert_eq!(next(&triggers), Trigger::Plugins);
        changes.send_modify(|count| *count += 1);
        changes.send_modify(|count| *count += 1);
        outcomes.send(Err("a plugin refuses".to_owned())).unwrap();
        assert_eq!(next(&triggers), Trigger::Plugins);
        outcomes.send(Ok(())).unwrap();
        control.stop();
        assert!(triggers.try_recv().is_err(), "two changes during one build make one more build");
    }

    #[tokio::test]
    async fn plugins_that_changed_are_taken_on_before_what_may_need_them() {
        let changes = watch::Sender::new(0);
        let (control, triggers, outcomes) = control(&changes);
        changes.send_modify(|count| *count += 1);
        assert_eq!(next(&triggers), Trigger::Plugins);
        changes.send_modify(|count| *count += 1);
        control.requests().read_file();
        for _ in 0..3 {
            outcomes.send(Ok(())).unwrap();
        }
        assert_eq!([next(&triggers), next(&triggers)], [Trigger::Plugins, Trigger::File]);
        assert!(!control.requests().is_over());
        let requests = control.requests();
        control.stop();
        assert!(requests.is_over());
    }

    #[test]
    fn reloads_go_on_after_the_plugin_host_is_gone() {
        let changes = watch::Sender::new(0);
        let (control, triggers, outcomes) = control(&changes);
        drop(changes);
        outcomes.send(Ok(())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(control.requests().reload()), Ok(()));
        assert_eq!(next(&triggers), Trigger::Reload);
        control.stop();
    }
}
