//! The program `node-agent`: the hand of the kill switch on one host.

mod program;

fn main() -> std::process::ExitCode {
    program::run()
}
