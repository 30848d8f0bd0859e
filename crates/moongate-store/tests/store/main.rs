//! What every store does, and what those that last do besides.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod durable;
mod killed;
mod place;
mod postgres;
mod random;
mod rows;
mod rules;
mod sqlite_file;

use place::Place;

macro_rules! in_memory {
    ($($rule:ident)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::rules::$rule(super::Place::memory()).await;
            })*
        }
    };
}

macro_rules! in_sqlite {
    ($($rule:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::rules::$rule(super::Place::sqlite()).await;
            })*
        }
    };
}

macro_rules! durably_in_sqlite {
    ($($rule:ident)*) => {
        mod sqlite_durably {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::durable::$rule(super::Place::sqlite()).await;
            })*
        }
    };
}

rules::for_each_rule!(in_memory);
rules::for_each_rule!(in_sqlite);
durable::for_each_durable_rule!(durably_in_sqlite);
