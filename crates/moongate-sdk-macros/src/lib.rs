//! The macros of moongate-sdk
