//! Routes to matcher, request to match
