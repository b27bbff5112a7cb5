//! The program `kill-courier`: the courier alone, as a service of its own user.

mod program;

fn main() -> std::process::ExitCode {
    program::run()
}
