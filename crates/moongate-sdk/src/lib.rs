//! Write Moongate plugins in Rust
