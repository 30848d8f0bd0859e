//! Connections: pooled ones, and one which listens.

use std::future::poll_fn;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::announced::{self, Announced};
use super::error::error;
use super::settings::{PostgresSettings, Tls};
use super::tls;
use crate::StoreError;
use crate::sql::quoted;

/// Makes connections.
pub(super) struct Connector {
    settings: PostgresSettings,
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

/// A connection that hears notifications.
pub(super) struct Ear {
    /// Ends the connection when it is dropped.
    _client: Client,
    /// One for each change, at most one of them waiting. Ends with the connection.
    pub(super) heard: mpsc::Receiver<()>,
}

impl Connector {
    pub(super) fn new(settings: PostgresSettings) -> Result<Self, StoreError> {
        let (mode, trust) = match &settings.tls {
            Tls::Off => (SslMode::Disable, None),
            Tls::Preferred(trust) => (SslMode::Prefer, Some(trust)),
            Tls::Required(trust) => (SslMode::Require, Some(trust)),
        };
        let mut config = Config::new();
        config
            .host(&settings.host)
            .port(settings.port)
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name("moongate")
            .ssl_mode(mode)
            .connect_timeout(settings.timeout)
            .tcp_user_timeout(settings.timeout * 2)
            .keepalives_idle(KEEPALIVE);
        if let Some(password) = &settings.password {
            config.password(password);
        }
        let tls = trust.map(tls::connector).transpose()?;
        Ok(Self { settings, config, tls })
    }

    pub(super) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    pub(super) fn pool(&self) -> Result<Pool, StoreError> {
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match self.tls.clone() {
            Some(tls) => Manager::from_config(self.config.clone(), tls, how),
            None => Manager::from_config(self.config.clone(), NoTls, how),
        };
        let prepare = self.prepare();
        let hook = Hook::async_fn(move |client, _| {
            let prepare = prepare.clone();
            Box::pin(async move { client.batch_execute(&prepare).await.map_err(HookError::Backend) })
        });
        let timeout = Some(self.settings.timeout);
        let builder = Pool::builder(manager)
            .max_size(self.settings.pool_size.max(1))
            .wait_timeout(timeout)
            .create_timeout(timeout)
            .recycle_timeout(timeout)
            .runtime(Runtime::Tokio1)
            .post_create(hook);
        builder.build().map_err(|error| StoreError::Unavailable { why: error.to_string() })
    }

    /// Connects and listens.
    pub(super) async fn listen(&self, announced: &Announced) -> Result<Ear, StoreError> {
        let (client, heard) = match self.tls.clone() {
            Some(tls) => connect(&self.config, tls, announced).await?,
            None => connect(&self.config, NoTls, announced).await?,
        };
        let listen = format!("LISTEN {CHANNEL}; LISTEN {}", announced::CHANNEL);
        client.batch_execute(&listen).await.map_err(|failure| error(&failure))?;
        Ok(Ear { _client: client, heard })
    }

    /// What each pooled connection is told first.
    fn prepare(&self) -> String {
        let schema = quoted(&self.settings.schema);
        // Less than the time for which others wait for their turn, see `PATIENCE`.
        let hung = (self.settings.timeout * 4).as_millis();
        format!(
            "SET search_path TO {schema}; SET moongate.writer TO 'on'; SET client_min_messages TO warning; \
             SET idle_in_transaction_session_timeout TO {hung}"
        )
    }
}

async fn connect<T>(
    config: &Config,
    tls: T,
    announced: &Announced,
) -> Result<(Client, mpsc::Receiver<()>), StoreError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await.map_err(|failure| error(&failure))?;
    let (tell, heard) = mpsc::channel(1);
    tokio::spawn(hear(connection, tell, announced.clone()));
    Ok((client, heard))
}

/// Drives the connection, passes on what other nodes say, and tells of changes. Several changes that were not looked at yet
/// are one.
async fn hear<S, T>(mut connection: Connection<S, T>, tell: mpsc::Sender<()>, announced: Announced)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            AsyncMessage::Notification(said) if said.channel() == announced::CHANNEL => {
                announced.heard(said.payload());
            }
            AsyncMessage::Notification(_) => {
                // Full means that a look is due anyway.
                let _ = tell.try_send(());
            }
            _ => {}
        }
    }
}

/// Where changes are announced. Names of channels belong to the database; who has its tables in another schema looks
/// in vain, which costs little.
pub(super) const CHANNEL: &str = "moongate_changes";

const KEEPALIVE: Duration = Duration::from_secs(30);
