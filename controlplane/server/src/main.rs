//! The `portcullis` program; everything is in the library so that each part can be tested.

fn main() -> std::process::ExitCode {
    portcullis::run()
}
