//! Reading and writing entities, for every kind of them alike.
//!
//! What a kind has of its own is in a few modules: certificates with their names, targets, and what else
//! [`input`] prepares.

mod create;
mod input;
mod key;
mod list;
mod read;
mod related;
mod remove;
mod replace;
mod update;

pub(crate) use create::create;
pub(crate) use key::{check_value, find, key_of, parent_id, parse_id};
pub(crate) use list::{list, page};
pub(crate) use read::{exists_to_ask, read, read_related};
pub(crate) use related::change_related;
pub(crate) use remove::remove;
pub(crate) use replace::replace;
pub(crate) use update::update;
