//! Runs plugins: WebAssembly components behind hooks
