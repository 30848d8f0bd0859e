//! The Admin API
