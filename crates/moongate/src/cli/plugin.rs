//! `moongate plugin`: what authors of plugins need.

mod arguments;
mod build;
mod check;
mod inspect;
mod new;
mod run;
mod test;

pub(super) use arguments::PluginCommand;

pub(super) fn run(command: PluginCommand) -> anyhow::Result<()> {
    match command {
        PluginCommand::New(arguments) => new::run(&arguments),
        PluginCommand::Build(arguments) => build::run(&arguments),
        PluginCommand::Check(arguments) => check::run(&arguments),
        PluginCommand::Inspect(arguments) => inspect::run(&arguments),
        PluginCommand::Test(arguments) => test::run(&arguments),
        PluginCommand::Run(arguments) => run::run(&arguments),
    }
}
