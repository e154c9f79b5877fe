//! Builds libbpf, with libelf and zlib in it, for cargo's target.

use wheelsmith_core::script::{Builder, Env, Error};

fn main() -> Result<(), Error> {
    let env = Env::from_cargo()?;
    let output = Builder::new(&env).config("wheelsmith.toml").build()?;
    output.directives.emit(&mut std::io::stdout())?;
    Ok(())
}
