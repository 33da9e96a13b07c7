//! The program `optlab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    optlab::cli::main()
}
