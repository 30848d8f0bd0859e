//! What is printed.

/// Prints a line to standard output, also when nobody reads any more: `println!` would panic then.
macro_rules! say {
    ($($argument:tt)*) => {
        drop(std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($argument)*))))
    };
}

pub(crate) use say;
