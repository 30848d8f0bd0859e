//! Listeners, upstream pools and hook execution
