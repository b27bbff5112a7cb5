//! The program `killswitchd`: the kill switch alone, as a service of its own user.

mod program;

fn main() -> std::process::ExitCode {
    program::run()
}
