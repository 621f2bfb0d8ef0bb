//! The command line of prevision with parts of one's own, one of every kind.

mod model;
mod world;

fn main() -> std::process::ExitCode {
    prevision::App::new()
        .world("strip", world::strip)
        .format(("walks", world::open))
        .verb(prevision::verb("walks", world::write))
        .model("columns", model::columns)
        .term("anchor", model::anchor)
        .solver("exhaustive", model::exhaustive)
        .cost("cells", model::cells)
        .suite("spread", model::spread)
        .run(std::env::args_os())
}
